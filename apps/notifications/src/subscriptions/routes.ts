/** /eventmatch: the subscriptions API of the Python service, its answers kept and its holes closed. */
import { Type } from '@fastify/type-provider-typebox'
import type { Dialect } from '@pacifica/jsonpath'
import { type Bell, errorReply, type HttpApp, validationPlaces } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import type { Identify } from '../identity/index.ts'
import { type Asking, createAsking, params, refusals } from './asking.ts'
import type { Secrets } from './auth.ts'
import { type CheckNeeds, checkSubscription, type Mistake } from './check.ts'
import { changedColumns, newRow } from './columns.ts'
import { SubscriptionForbiddenError } from './own.ts'
import { NewSubscription, SubscriptionChanges, SubscriptionReply } from './schema.ts'
import { secretRoutes } from './secret-routes.ts'
import type { SubscriptionStore } from './store.ts'
import { unindexedIn, view } from './subscription.ts'
import type { Unindexed, UnindexedLimits } from './unindexed.ts'

export interface SubscriptionRoutesNeeds extends CheckNeeds {
  readonly store: SubscriptionStore
  readonly secrets: Secrets
  readonly identify: Identify
  readonly deliverBell: Bell
}

const tags = ['subscriptions']
const written = { 413: errorReply, 415: errorReply, ...refusals }

const Paging = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'How many to show.' }),
  ),
  cursor: Type.Optional(Type.String({ format: 'uuid', description: 'From the Link header.' })),
})

interface Options {
  readonly disableAfterMs: number
  /** Subscriptions that a user may have. */
  readonly perUser: number
  readonly unindexed: UnindexedLimits
}

/** What is stored of an expression that was checked, and the limits for one that no index finds. */
function indexing(
  limits: UnindexedLimits,
  jsonpath: string,
  dialect: string | undefined,
): { indexed: boolean; unindexed: Unindexed | undefined } {
  const part = unindexedIn(jsonpath, (dialect ?? 'jsonpath2') as Dialect)
  return { indexed: part === undefined, unindexed: part && { ...limits, part } }
}

export function subscriptionRoutes(
  app: HttpApp,
  needs: SubscriptionRoutesNeeds,
  options: Options,
): void {
  const asking = createAsking(needs)
  createRoute(app, needs, asking, options)
  readRoutes(app, needs, asking, options)
  changeRoute(app, needs, asking, options)
  deleteRoute(app, needs, asking)
  secretRoutes(app, needs, asking)
}

/** Routes that validate by `attachValidation`: the schema's mistakes are told together with all others. */
export function schemaMistakes({ validationError }: FastifyRequest): Mistake[] {
  if (validationError === undefined) return []
  return validationPlaces(validationError.validation, validationError.validationContext ?? 'body')
}

function createRoute(
  app: HttpApp,
  needs: SubscriptionRoutesNeeds,
  { user }: Asking,
  options: Options,
): void {
  app.post(
    '/eventmatch',
    {
      attachValidation: true,
      schema: {
        tags,
        summary: 'Subscribe',
        description:
          'An expression that no index finds (`indexed: false` in the reply) is evaluated on every event; where there ' +
          'are too many of those it is refused with 409, and the part that is to blame is named.',
        body: NewSubscription,
        response: { 200: SubscriptionReply, 409: errorReply, ...written },
      },
    },
    async (request) => {
      const owner = user(request)
      checkSubscription(needs, request.body, { user: owner }, schemaMistakes(request))
      const given = newRow(needs.secrets, request.body, owner)
      const { indexed, unindexed } = indexing(options.unindexed, given.jsonpath, given.dialect)
      const row = await needs.store.create({ ...given, indexed }, options.perUser, unindexed)
      request.log.info({ subscription: row.uuid, user: owner }, 'subscription.created')
      return view(row, options)
    },
  )
}

function readRoutes(
  app: HttpApp,
  needs: SubscriptionRoutesNeeds,
  { user, own }: Asking,
  options: Options,
): void {
  app.get(
    '/eventmatch',
    {
      schema: {
        tags,
        summary: 'Your subscriptions',
        description:
          'In the order in which they were made; without `limit` all of them. With it a header ' +
          '`Link: <…>; rel="next"` leads to the next page, if there is one.',
        querystring: Paging,
        response: { 200: Type.Array(SubscriptionReply), ...refusals },
      },
    },
    async (request, reply) => {
      const { limit, cursor } = request.query
      const owner = user(request)
      const page = limit === undefined ? undefined : { limit: limit + 1, after: cursor }
      const rows = await needs.store.ofUser(owner, page)
      const shown = rows.slice(0, limit ?? rows.length)
      const last = shown.at(-1)?.uuid
      if (rows.length > shown.length)
        reply.header('link', `</eventmatch?limit=${limit}&cursor=${last}>; rel="next"`)
      return shown.map((row) => view(row, options))
    },
  )

  app.get(
    '/eventmatch/:uuid',
    {
      schema: {
        tags,
        summary: 'One subscription',
        params,
        response: { 200: SubscriptionReply, ...refusals },
      },
    },
    async (request) => view(await own(request, request.params.uuid), options),
  )
}

function changeRoute(
  app: HttpApp,
  needs: SubscriptionRoutesNeeds,
  { own }: Asking,
  options: Options,
): void {
  app.put(
    '/eventmatch/:uuid',
    {
      attachValidation: true,
      schema: {
        tags,
        summary: 'Change some of a subscription',
        description: '`disabled: null` enables it again and sends what was held; a time pauses it.',
        params,
        body: SubscriptionChanges,
        response: { 200: SubscriptionReply, 409: errorReply, ...written },
      },
    },
    async (request) => {
      const stored = await own(request, request.params.uuid)
      checkSubscription(needs, request.body, stored, schemaMistakes(request))
      const changes = changedColumns(needs.secrets, request.body, stored)
      const isNew = changes.jsonpath !== undefined || changes.dialect !== undefined
      const { jsonpath, dialect } = { ...stored, ...changes }
      const { unindexed, ...said } = isNew
        ? indexing(options.unindexed, jsonpath, dialect)
        : { unindexed: undefined }
      const row = await needs.store.update(stored.uuid, { ...changes, ...said }, unindexed)
      if (row === undefined) throw new SubscriptionForbiddenError(stored.uuid)
      needs.deliverBell.ring()
      request.log.info(
        { subscription: row.uuid, changed: Object.keys(changes) },
        'subscription.changed',
      )
      return view(row, options)
    },
  )
}

function deleteRoute(app: HttpApp, needs: SubscriptionRoutesNeeds, { own }: Asking): void {
  app.delete(
    '/eventmatch/:uuid',
    {
      schema: {
        tags,
        summary: 'Unsubscribe',
        description: 'Deliveries that wait are cancelled.',
        params,
        response: {
          200: Type.Unsafe<void>({ type: 'null', description: 'Deleted; the body is empty.' }),
          ...refusals,
        },
      },
    },
    async (request, reply) => {
      const { uuid } = await own(request, request.params.uuid)
      if (!(await needs.store.delete(uuid))) throw new SubscriptionForbiddenError(uuid)
      request.log.info({ subscription: uuid }, 'subscription.deleted')
      return reply.send()
    },
  )
}
