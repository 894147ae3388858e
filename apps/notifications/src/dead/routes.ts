/** Dead letters over HTTP, for administrators: what died on the broker, and what is to become of it. */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply, type HttpApp, type Intake, type Sql } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import {
  DEFAULT_LIMIT,
  nextLink,
  pageHeaders,
  pageOf,
  pageQuery,
  readCursor,
} from '../history/page.ts'
import { Instant, range } from '../history/times.ts'
import { type Viewer, viewerOf } from '../history/viewer.ts'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from '../subscriptions/check.ts'
import { putAwayLetter, resendLetter } from './decide.ts'
import { LetterNotFoundError } from './errors.ts'
import type { OpenedLetter } from './letter.ts'
import { listLetters, openLetter } from './store.ts'
import {
  LetterReply,
  LetterStateName,
  letterView,
  MOST_BODY,
  OpenedLetterReply,
  openedLetterView,
} from './view.ts'

export class AdminOnlyError extends Error {
  readonly code = 'ADMIN_ONLY'
  constructor(user: string) {
    super(`dead letters are for administrators, and ${user} is none: ADMIN_USERS names them`)
  }
}

export interface DeadNeeds {
  readonly sql: Sql
  readonly identify: Identify
  /** Undefined where there is no broker. */
  readonly intake: Pick<Intake, 'resend'> | undefined
}

export function deadRoutes(app: HttpApp, needs: DeadNeeds): void {
  lettersRoute(app, needs)
  letterRoute(app, needs)
  resendRoute(app, needs)
  dismissRoute(app, needs)
}

/** @throws AdminOnlyError and those of `identify` */
function adminOf(identify: Identify, request: FastifyRequest): Viewer {
  const viewer = viewerOf(identify, request)
  if (!viewer.admin) throw new AdminOnlyError(viewer.user)
  return viewer
}

const LettersQuery = Type.Object(
  {
    ...pageQuery,
    queue: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        pattern: '^[^\\u0000]*$',
        description: 'Only letters that died in this queue.',
        examples: ['pacifica.receive'],
      }),
    ),
    state: Type.Optional(LetterStateName),
    since: Type.Optional(Instant('Only letters taken from the broker at this time or later.')),
    until: Type.Optional(Instant('Only letters taken from the broker before this time.')),
  },
  { additionalProperties: false },
)

const params = Type.Object({
  uuid: Type.String({ description: 'Of the dead letter; any usual spelling.' }),
})

const refusals = { 401: errorReply, 403: errorReply, 503: errorReply }

function lettersRoute(app: HttpApp, { sql, identify }: DeadNeeds): void {
  app.get(
    '/dead',
    {
      schema: {
        tags: ['dead letters'],
        summary: 'Dead letters, newest first',
        description:
          'Messages that nobody on the broker took: no event, no dispatch, or offered in vain too often. For ' +
          'administrators. All filters given must hold.',
        querystring: LettersQuery,
        response: {
          200: { ...Type.Array(LetterReply), headers: pageHeaders },
          400: errorReply,
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      adminOf(identify, request)
      const { limit = DEFAULT_LIMIT, cursor, queue, state, since, until } = request.query
      const times = range({ since, until }, 'query')
      const filter = { queue, state, ...times, after: readCursor(cursor), limit }
      const page = pageOf(await listLetters(sql, filter), limit, (row) => row)
      return reply.headers(nextLink(request.query, page.next)).send(page.rows.map(letterView))
    },
  )
}

function letterRoute(app: HttpApp, { sql, identify }: DeadNeeds): void {
  app.get(
    '/dead/:uuid',
    {
      schema: {
        tags: ['dead letters'],
        summary: 'A dead letter with its headers and its body',
        description: `The first ${MOST_BODY} bytes of the body. For administrators.`,
        params,
        response: { 200: OpenedLetterReply, 404: errorReply, ...refusals },
      },
    },
    async (request) => {
      adminOf(identify, request)
      return openedLetterView(await found(sql, uuidIn(request.params)))
    },
  )
}

function resendRoute(app: HttpApp, needs: DeadNeeds): void {
  const { sql, identify } = needs
  app.post(
    '/dead/:uuid/resend',
    {
      schema: {
        tags: ['dead letters'],
        summary: 'Send a dead letter back to the queue that it died in',
        description:
          'Answered when the broker has it safely; otherwise it stays, with the reason. Of several who ask at once one ' +
          'sends it. A dispatch goes back as the same delivery: a dispatcher that has its task already makes no other ' +
          'one; POST /events/UUID/retry has the work done anew. For administrators.',
        params,
        response: { 200: LetterReply, 404: errorReply, 409: errorReply, ...refusals },
      },
    },
    async (request) => {
      const { user } = adminOf(identify, request)
      const uuid = uuidIn(request.params)
      await resendLetter({ ...needs, log: request.log }, uuid, user)
      return letterView(await found(sql, uuid))
    },
  )
}

function dismissRoute(app: HttpApp, { sql, identify }: DeadNeeds): void {
  app.delete(
    '/dead/:uuid',
    {
      schema: {
        tags: ['dead letters'],
        summary: 'Put a dead letter away',
        description:
          'It is `dismissed`: no longer counted, still shown, purged after RETENTION, and it can still be sent. For ' +
          'administrators.',
        params,
        response: { 200: LetterReply, 404: errorReply, 409: errorReply, ...refusals },
      },
    },
    async (request) => {
      const { user } = adminOf(identify, request)
      const uuid = uuidIn(request.params)
      await putAwayLetter({ sql, log: request.log }, uuid, user)
      return letterView(await found(sql, uuid))
    },
  )
}

function uuidIn({ uuid }: { uuid: string }): string {
  const canonical = canonicalUuid(uuid)
  if (canonical === undefined) throw new LetterNotFoundError(uuid)
  return canonical
}

async function found(sql: Sql, uuid: string): Promise<OpenedLetter> {
  const letter = await openLetter(sql, uuid, MOST_BODY)
  if (letter === undefined) throw new LetterNotFoundError(uuid)
  return letter
}
