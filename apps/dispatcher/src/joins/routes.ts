/** Joins as operators see them: which events wait for which, until when; and the one thing to do: to give one up. */
import { errorReply, type HttpApp } from '@pacifica/platform'
import { lookUpErrors } from '../tasks/routes.ts'
import { parseTaskId } from '../tasks/task-id.ts'
import type { JoinState } from './end.ts'
import type { JoinFilter, ListedJoin } from './list.ts'
import * as schemas from './schemas.ts'
import { joinView } from './view.ts'

const DEFAULT_LIMIT = 100

export class JoinNotFoundError extends Error {
  readonly code = 'JOIN_NOT_FOUND'
}

/** There is nothing to cancel any more. */
export class JoinEndedError extends Error {
  readonly code = 'JOIN_ENDED'
}

export interface ShownJoins {
  /** The names of the joins that the dispatcher has now. */
  readonly defined: ReadonlySet<string>
  list(
    filter: JoinFilter,
    page: { readonly limit: number; readonly cursor: string | undefined },
  ): Promise<ListedJoin[]>
  read(id: string): Promise<ListedJoin | undefined>
  /** False: it is not open. */
  cancel(id: string): Promise<boolean>
}

export function joinRoutes(app: HttpApp, joins: ShownJoins): void {
  const read = async (id: string): Promise<ListedJoin> => {
    const join = await joins.read(id)
    if (join === undefined) throw new JoinNotFoundError(`there is no join ${id}`)
    return join
  }

  app.get('/joins', listOptions, async (request, reply) => {
    const { limit = DEFAULT_LIMIT, cursor, ...asked } = request.query
    const found = await joins.list(filterOf(asked), { limit: limit + 1, cursor })
    const rows = found.slice(0, limit)
    const last = rows.at(-1)
    if (found.length > limit && last !== undefined) {
      const next = new URLSearchParams({ ...asked, limit: `${limit}`, cursor: `${last.seq}` })
      reply.header('link', `</joins?${next}>; rel="next"`)
    }
    return rows.map((row) => joinView(row, joins.defined))
  })

  app.get('/joins/:id', readOptions, async (request) =>
    joinView(await read(parseTaskId(request.params.id, 'join')), joins.defined),
  )

  app.delete('/joins/:id', cancelOptions, async (request) => {
    const id = parseTaskId(request.params.id, 'join')
    if (!(await joins.cancel(id))) {
      const { state } = await read(id)
      if (state !== 'cancelled') throw new JoinEndedError(`join ${id} is not open: ${state}`)
    }
    return { joinID: id, state: 'cancelled' as const }
  })
}

/** The schema has seen to it that states are known ones. */
function filterOf({
  state,
  ...same
}: {
  readonly state?: string
  readonly name?: string
  readonly key?: string
}): JoinFilter {
  return { ...same, ...(state === undefined ? {} : { states: state.split(',') as JoinState[] }) }
}

const tags = ['joins']

const listOptions = {
  schema: {
    tags,
    summary: 'The joins: events that wait for others, or came together, newest first',
    description:
      'Filters hold together. When there are more, the Link header leads on (rel="next").',
    querystring: schemas.joinsQuery,
    response: { 200: schemas.joins, 400: errorReply, 401: errorReply, 503: errorReply },
  },
} as const

const readOptions = {
  schema: {
    tags,
    summary: 'A join: its slots with their events, what is missing, its deadline, and its task',
    params: schemas.joinParams,
    response: { 200: schemas.join, ...lookUpErrors },
  },
} as const

const cancelOptions = {
  schema: {
    tags,
    summary: 'Cancel a join that is open',
    description:
      'The tasks of its events end as 499; they can be retried, which opens a new join. Asking again changes nothing; a ' +
      'join that has ended otherwise is 409: cancel its task instead.',
    params: schemas.joinParams,
    response: { 200: schemas.cancelled, ...lookUpErrors, 409: errorReply },
  },
} as const
