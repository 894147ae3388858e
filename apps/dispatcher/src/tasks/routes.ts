/** The dispatcher's REST API: the four calls of the Python dispatcher. */
import { type Event, EventFormatError, eventsFromHttp } from '@pacifica/core'
import { errorReply, type HttpApp, readRawBodies } from '@pacifica/platform'
import type { TaskReader } from './read.ts'
import * as schemas from './schemas.ts'
import type { Accepted } from './store.ts'
import { parseTaskId, TaskNotFoundError } from './task-id.ts'
import { statusOf, type TaskRow, taskEntry, taskView } from './view.ts'

/** Without `limit` a list is cut here, with a link to the rest. */
export const MAX_PAGE = 1_000

export interface TaskRoutesNeeds extends TaskReader {
  readonly accept: (event: Event, trace: string | undefined) => Promise<Accepted>
}

const JSON_TYPE = 'application/json; charset=utf-8'
const tags = ['tasks']

export function taskRoutes(
  app: HttpApp,
  needs: TaskRoutesNeeds,
  { dispatcher }: { dispatcher: string },
): void {
  const find = async (text: string): Promise<TaskRow> => {
    const id = parseTaskId(text)
    const row = await needs.find(id)
    if (row === null) throw new TaskNotFoundError(`there is no task ${id}`)
    return row
  }

  app.register(async (scope: HttpApp) => {
    readRawBodies(scope)
    scope.post('/receive', receiveOptions, async (request, reply) => {
      const event = oneEvent(request.headers, request.body)
      const trace = request.headers['traceparent']
      const { taskId } = await needs.accept(event, typeof trace === 'string' ? trace : undefined)
      return reply.type(JSON_TYPE).send(JSON.stringify(taskId))
    })
  })

  app.get('/status/:id', statusOptions, async (request, reply) => {
    const row = await find(request.params.id)
    return reply.type(JSON_TYPE).send(JSON.stringify(statusOf(row)))
  })

  app.get('/get/:id', getOptions, async (request) =>
    taskView(await find(request.params.id), dispatcher),
  )

  app.get('/', listOptions, async (request, reply) => {
    const { limit = MAX_PAGE, cursor } = request.query
    const { rows, next } = await needs.page(limit, cursor)
    if (next !== undefined) reply.header('link', `</?limit=${limit}&cursor=${next}>; rel="next"`)
    return rows.map(taskEntry)
  })
}

const receiveOptions = {
  schema: {
    tags,
    summary: 'Give an event to this dispatcher',
    description:
      'Answers with the id of its task once that is committed. The same event again (source, id and bytes) gives the ' +
      'task that it has, unless that one failed: then it gets a new one.',
    consumes: ['application/json', 'application/cloudevents+json'],
    body: schemas.event,
    response: {
      200: schemas.taskId,
      400: errorReply,
      401: errorReply,
      413: errorReply,
      415: errorReply,
      503: errorReply,
    },
  },
  // The schema is for the docs: the body is taken as bytes, and `Event` says better what is wrong with it.
  validatorCompiler: () => () => true,
} as const

const lookUpErrors = { 401: errorReply, 404: errorReply, 422: errorReply, 503: errorReply }

const statusOptions = {
  schema: {
    tags,
    summary: 'The status of a task',
    params: schemas.taskParams,
    response: { 200: schemas.status, ...lookUpErrors },
  },
} as const

const getOptions = {
  schema: {
    tags,
    summary: 'A task with its event',
    params: schemas.taskParams,
    response: { 200: schemas.task, ...lookUpErrors },
  },
} as const

const listOptions = {
  schema: {
    tags,
    summary: 'The tasks, newest first',
    description: `At most ${MAX_PAGE}; when there are more, the Link header leads on (rel="next").`,
    querystring: schemas.pageQuery,
    response: { 200: schemas.taskList, 400: errorReply, 401: errorReply, 503: errorReply },
  },
} as const

function oneEvent(headers: Parameters<typeof eventsFromHttp>[0], body: unknown): Event {
  const bytes = body instanceof Uint8Array ? body : new Uint8Array()
  const [event, ...others] = eventsFromHttp(headers, bytes)
  if (event !== undefined && others.length === 0) return event
  throw new EventFormatError(
    `${others.length + (event ? 1 : 0)} events: send one with each request`,
  )
}
