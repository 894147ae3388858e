/** The HTTP side of notifications: every route, registered by hand in one visible list. */
import {
  createHttpApp,
  type Egress,
  type Health,
  type HttpApp,
  type Log,
  type Metrics,
} from '@pacifica/platform'
import { type ReceiveNeeds, receiveRoutes } from './accept/routes.ts'
import type { Bells } from './bells.ts'
import type { NotificationsConfig } from './config.ts'
import { type Availability, refuseWhileAway, tellUnavailable } from './database/availability.ts'
import type { PrismaClient } from './database/generated/client.ts'
import { findDeliveries } from './history/queries.ts'
import { historyRoutes } from './history/routes.ts'
import type { Identify } from './identity/index.ts'
import type { Secrets } from './subscriptions/auth.ts'
import { subscriptionRoutes } from './subscriptions/routes.ts'
import type { SubscriptionStore } from './subscriptions/store.ts'

/** What a client is told of each error: the only place where errors become statuses. */
export const errorTable = {
  EVENT_FORMAT: 400,
  EVENT_MEDIA_TYPE: 415,
  EVENT_CONTENT_ENCODING: 415,
  EVENT_TOO_LARGE: 413,
  EVENT_NOT_FOUND: 404,
  EVENT_VANISHED: 503,
  USER_HEADER_UNTRUSTED: 403,
  USER_HEADER_AMBIGUOUS: 403,
  USER_MISSING: 403,
  TOKEN_UNKNOWN: 401,
  RECEIVE_UNAUTHORIZED: 401,
  AUTH_MASKED: 400,
  AUTH_UNUSABLE: 400,
  BAD_UUID: 400,
  SUBSCRIPTION_INVALID: 400,
  SUBSCRIPTION_FORBIDDEN: 403,
  SUBSCRIPTION_EXISTS: 409,
  SUBSCRIPTION_LIMIT: 403,
  SECRET_UNREADABLE: 409,
  SIGNING_OFF: 404,
  USER_TOO_LONG: 403,
  BATCHER_CLOSED: 503,
  SPOOL_FULL: 503,
  SPOOL_UNWRITABLE: 503,
  DATABASE_UNAVAILABLE: 503,
} as const

export interface ApiNeeds extends ReceiveNeeds {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  readonly prisma: PrismaClient
  readonly bells: Bells
  readonly availability: Availability
  readonly identify: Identify
  readonly secrets: Secrets
  readonly subscriptions: SubscriptionStore
  readonly egress: Egress
}

export async function createApi(
  needs: ApiNeeds,
  config: NotificationsConfig,
  about: { version: string },
): Promise<HttpApp> {
  const app = await createHttpApp(needs, {
    title: 'Pacifica notifications',
    version: about.version,
    description: 'Takes the events of a Pacifica site and delivers them to those who subscribed.',
    bodyLimit: config.maxBody,
    errors: errorTable,
    translate: tellUnavailable(needs.availability),
  })
  const { prisma, identify } = needs
  app.addHook('onRequest', refuseWhileAway(needs.availability))
  await receiveRoutes(app, needs, config)
  subscriptionRoutes(
    app,
    {
      store: needs.subscriptions,
      secrets: needs.secrets,
      identify,
      deliverBell: needs.bells.deliver,
      refuseTarget: (url) => needs.egress.check(url),
      deliveriesOf: (subscription, limit) => findDeliveries(prisma, subscription, limit),
    },
    { disableAfterMs: config.disableAfterMs, perUser: config.subscriptionsPerUser },
  )
  historyRoutes(app, { prisma, identify })
  return app
}
