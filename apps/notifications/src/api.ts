/** The HTTP side of notifications: every route, registered by hand in one visible list. */
import {
  createHttpApp,
  type Database,
  type Egress,
  type Health,
  type HttpApp,
  type Intake,
  type Log,
  type Metrics,
} from '@pacifica/platform'
import { type ReceiveNeeds, receiveRoutes } from './accept/routes.ts'
import type { PolicyClient } from './authorize/policy-client.ts'
import { backtestRoutes } from './backtest/routes.ts'
import type { Bells } from './bells.ts'
import type { NotificationsConfig } from './config.ts'
import { type Availability, refuseWhileAway, tellUnavailable } from './database/availability.ts'
import { deadRoutes } from './dead/routes.ts'
import { capsOf } from './deliver/caps.ts'
import { retryRoute } from './history/retry-routes.ts'
import { historyRoutes } from './history/routes.ts'
import type { Identify } from './identity/index.ts'
import { recoverRoutes } from './recover/routes.ts'
import { notificationsSecurity } from './security.ts'
import type { Secrets } from './subscriptions/auth.ts'
import { explainRoute } from './subscriptions/explain-routes.ts'
import { subscriptionRoutes } from './subscriptions/routes.ts'
import type { SubscriptionStore } from './subscriptions/store.ts'
import { testRoute } from './subscriptions/test-routes.ts'

/** What a client is told of each error: the only place where errors become statuses. */
export const errorTable = {
  EVENT_FORMAT: 400,
  EVENT_MEDIA_TYPE: 415,
  EVENT_CONTENT_ENCODING: 415,
  EVENT_TOO_LARGE: 413,
  EVENT_NOT_FOUND: 404,
  EVENT_VANISHED: 503,
  CURSOR_INVALID: 400,
  BAD_TIME: 400,
  MATCH_AGAIN_FORBIDDEN: 403,
  EXPLAIN_INVALID: 400,
  SUBSCRIPTION_DISABLED: 409,
  RECOVERY_RUNNING: 409,
  RECOVERY_NOT_FOUND: 404,
  BACKTEST_NOT_FOUND: 404,
  BACKTEST_LIMIT: 429,
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
  UNINDEXED_LIMIT: 409,
  SECRET_UNREADABLE: 409,
  SIGNING_OFF: 404,
  USER_TOO_LONG: 403,
  BATCHER_CLOSED: 503,
  SPOOL_FULL: 503,
  SPOOL_UNWRITABLE: 503,
  DATABASE_UNAVAILABLE: 503,
  ADMIN_ONLY: 403,
  DEAD_LETTER_NOT_FOUND: 404,
  DEAD_LETTER_SETTLED: 409,
  DEAD_LETTER_BUSY: 409,
  DEAD_LETTER_NO_ORIGIN: 409,
  DEAD_LETTER_UNROUTABLE: 409,
  DEAD_LETTER_NOT_SENT: 503,
  NO_BROKER: 409,
} as const

export interface ApiNeeds extends ReceiveNeeds {
  readonly log: Log
  readonly metrics: Metrics
  readonly health: Health
  readonly database: Database
  readonly bells: Bells
  readonly availability: Availability
  readonly identify: Identify
  readonly secrets: Secrets
  readonly subscriptions: SubscriptionStore
  readonly egress: Egress
  readonly policy: PolicyClient
  /** Undefined where there is no broker. */
  readonly intake?: Intake | undefined
  /** Undefined when dispatches can go out. */
  readonly publishTrouble?: () => string | undefined
  /** Ends what waits for something to happen. */
  readonly stopping: AbortSignal
}

/** What a process without the role `api` serves: whether it is alive and ready, and what it counts. */
export function createOperations(
  needs: Pick<ApiNeeds, 'log' | 'metrics' | 'health'>,
  about: { version: string },
): Promise<HttpApp> {
  return createHttpApp(needs, {
    title: 'A worker of Pacifica notifications',
    version: about.version,
    description: 'Health and metrics. The API is served by the processes with the role `api`.',
    bodyLimit: 1_024,
    errors: {},
  })
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
    security: notificationsSecurity(config),
  })
  const { identify } = needs
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
    },
    {
      disableAfterMs: config.disableAfterMs,
      perUser: config.subscriptionsPerUser,
      unindexed: { perUser: config.unindexedPerUser, inAll: config.unindexedInAll },
    },
  )
  peopleRoutes(app, needs, config)
  return app
}

/** What people see: what became of events, and what can be done about it. */
function peopleRoutes(app: HttpApp, needs: ApiNeeds, config: NotificationsConfig): void {
  const { database: sql, identify, subscriptions, bells, policy, stopping } = needs
  const common = { sql, identify, subscriptions }
  const { publishTrouble } = needs
  historyRoutes(app, {
    ...{ ...common, caps: capsOf(config) },
    ...(publishTrouble && { publishTrouble }),
  })
  retryRoute(app, {
    sql,
    identify,
    matchBell: bells.match,
    authorizeBell: bells.authorize,
    deliverBell: bells.deliver,
  })
  explainRoute(app, { ...common, policy, stopping })
  testRoute(app, { ...common, deliverBell: bells.deliver, stopping })
  recoverRoutes(app, { ...common, recoverBell: bells.recover })
  backtestRoutes(app, { database: sql, identify, backtestBell: bells.backtest })
  deadRoutes(app, { sql, identify, intake: needs.intake })
}
