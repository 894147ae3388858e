/** /eventmatch: the subscriptions API of the Python service, its answers kept and its holes closed. */
import { Type } from '@fastify/type-provider-typebox'
import { type Bell, errorReply, type HttpApp } from '@pacifica/platform'
import type { FastifyRequest } from 'fastify'
import type { EventMatch } from '../database/generated/client.ts'
import type { Identify } from '../identity/index.ts'
import type { Secrets } from './auth.ts'
import { type CheckNeeds, canonicalUuid, checkSubscription } from './check.ts'
import { changedColumns, newRow } from './columns.ts'
import { NewSubscription, SubscriptionChanges, SubscriptionReply } from './schema.ts'
import type { SubscriptionStore } from './store.ts'
import { view } from './subscription.ts'

export interface SubscriptionRoutesNeeds extends CheckNeeds {
  readonly store: SubscriptionStore
  readonly secrets: Secrets
  readonly identify: Identify
  readonly deliverBell: Bell
}

/** Unknown, deleted and another user's are all the same to the caller. */
export class SubscriptionForbiddenError extends Error {
  readonly code = 'SUBSCRIPTION_FORBIDDEN'
  constructor(uuid: string) {
    super(`you have no subscription ${uuid}`)
  }
}

export class BadUuidError extends Error {
  readonly code = 'BAD_UUID'
  constructor(text: string) {
    super(`'${text}' is no uuid; one looks like 2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11`)
  }
}

const tags = ['subscriptions']
const refusals = { 400: errorReply, 403: errorReply, 503: errorReply }
const params = Type.Object({ uuid: Type.String({ description: 'Any usual spelling of a uuid.' }) })

/** What every route below needs to know: whose request it is, and which subscription of theirs it is about. */
interface Asking {
  readonly user: (request: FastifyRequest) => string
  /** @throws BadUuidError, SubscriptionForbiddenError */
  readonly own: (request: FastifyRequest, text: string) => Promise<EventMatch>
}

interface Options {
  readonly disableAfterMs: number
}

export function subscriptionRoutes(
  app: HttpApp,
  needs: SubscriptionRoutesNeeds,
  options: Options,
): void {
  const user = (request: FastifyRequest): string =>
    needs.identify({ remoteAddress: request.ip, headers: request.headers }).user
  const own = async (request: FastifyRequest, text: string): Promise<EventMatch> => {
    const owner = user(request)
    const uuid = canonicalUuid(text)
    if (uuid === undefined) throw new BadUuidError(text)
    const row = await needs.store.find(uuid)
    if (row === undefined || row.user !== owner) throw new SubscriptionForbiddenError(uuid)
    return row
  }
  const asking = { user, own }
  createRoute(app, needs, asking, options)
  readRoutes(app, needs, asking, options)
  changeRoute(app, needs, asking, options)
  deleteRoute(app, needs, asking)
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
      schema: {
        tags,
        summary: 'Subscribe',
        body: NewSubscription,
        response: { 200: SubscriptionReply, 409: errorReply, 415: errorReply, ...refusals },
      },
    },
    async (request) => {
      const owner = user(request)
      checkSubscription(needs, request.body, { user: owner })
      const row = await needs.store.create(newRow(needs.secrets, request.body, owner))
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
        response: { 200: Type.Array(SubscriptionReply), ...refusals },
      },
    },
    async (request) => {
      const rows = await needs.store.ofUser(user(request))
      return rows.map((row) => view(row, options))
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
      schema: {
        tags,
        summary: 'Change some of a subscription',
        description: '`disabled: null` enables it again and sends what was held; a time pauses it.',
        params,
        body: SubscriptionChanges,
        response: { 200: SubscriptionReply, 415: errorReply, ...refusals },
      },
    },
    async (request) => {
      const stored = await own(request, request.params.uuid)
      checkSubscription(needs, request.body, stored)
      const changes = changedColumns(needs.secrets, request.body, stored)
      const row = await needs.store.update(stored.uuid, changes)
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
      await needs.store.delete(uuid)
      request.log.info({ subscription: uuid }, 'subscription.deleted')
      return reply.send()
    },
  )
}
