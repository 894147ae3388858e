/**
 * Puts the notifications service together: this file alone knows every part. What it opens is closed in reverse order:
 * the HTTP server first, the database last.
 */
import { join } from 'node:path'
import {
  createEgress,
  createHealth,
  createMetrics,
  type Egress,
  type Health,
  type HttpApp,
  type Lifetime,
  type Listening,
  type Log,
  listen,
  type Metrics,
  readApiTokens,
  readReceiveCredentials,
  type Transport,
} from '@pacifica/platform'
import { openAccepting } from './accept/open.ts'
import { type ApiNeeds, createApi, createOperations } from './api.ts'
import { allowAll, httpPolicyClient, type PolicyClient } from './authorize/policy-client.ts'
import { backtestGauge, backtestMetrics } from './backtest/metrics.ts'
import { pipelineBells } from './bells.ts'
import { openAdminSocket } from './cli/admin-socket.ts'
import { type NotificationsConfig, RECENT_EVENTS } from './config.ts'
import { openTables } from './database/open.ts'
import { deadLetterGauge } from './dead/metrics.ts'
import type { AtOnce } from './deliver/at-once.ts'
import { capsOf } from './deliver/caps.ts'
import { laneGauges } from './deliver/lane-metrics.ts'
import {
  createIdentify,
  createReceiveGuard,
  type Identify,
  type ReceiveGuard,
} from './identity/index.ts'
import { startIntake } from './intake/start.ts'
import {
  type DeliverLoopNeeds,
  type MatchLoopNeeds,
  startBacktesting,
  startDelivering,
  startMatching,
  startRecovering,
} from './loops.ts'
import type { Matcher } from './match/match.ts'
import { backlogGauges, pipelineMetrics } from './metrics.ts'
import { startRetention } from './purge/retention.ts'
import { recentEvents } from './recent-events.ts'
import { loadSecrets } from './subscriptions/auth.ts'
import { subscriptionStore } from './subscriptions/store.ts'
import { followTasks } from './tasks/follow.ts'
import { VERSION } from './version.ts'

export interface NotificationsNeeds {
  readonly log: Log
  /** The way to dispatchers. */
  readonly transport: Transport
  readonly health?: Health
  readonly metrics?: Metrics
}

export interface Notifications {
  /** Where its API is: `http://127.0.0.1:8070`; undefined without the role `api`. */
  readonly url: string | undefined
  /** Where its health and metrics are, whatever its roles. */
  readonly operations: string
}

const ABOUT = { version: VERSION }

/** Starts the roles that the configuration names. Rejects, with an error that says what to do, when it cannot. */
export async function startNotifications(
  life: Lifetime,
  needs: NotificationsNeeds,
  config: NotificationsConfig,
): Promise<Notifications> {
  const { log, transport, health = createHealth(), metrics = createMetrics() } = needs
  const { database, prisma, availability } = await openTables({ life, log, health }, config)
  if (database.engine === 'embedded')
    await openAdminSocket({ database, life, log, intake: transport.intake }, config)
  const bells = pipelineBells(database)
  const subscriptions = subscriptionStore({ prisma })
  const keyFile = config.secretKeyFile ?? join(config.dataDir, 'notifications', 'secret.key')
  const secrets = loadSecrets(keyFile)
  const egress = openEgress(log, config)
  life.onClose('egress', () => egress.close())

  const pipeline = pipelineMetrics(metrics)
  backlogGauges({ metrics, sql: database })
  deadLetterGauge({ metrics, sql: database })
  backtestGauge({ metrics, sql: database })
  laneGauges({ metrics, sql: database }, capsOf(config))
  const loops = {
    life,
    log,
    health,
    database,
    bells,
    availability,
    subscriptions,
    metrics: pipeline,
    events: recentEvents(RECENT_EVENTS),
  }
  const policy = policyClient(config)
  life.onClose('policy client', () => policy.close())
  const matcher = startWorking(
    { ...loops, policy, transport, egress, secrets, counts: metrics },
    config,
  )
  if (config.roles.includes('intake'))
    followTasks({ ...loops, metrics, channel: transport.taskEvents })
  const isApi = config.roles.includes('api')
  const intake = config.roles.includes('intake') ? transport.intake : undefined
  if (!isApi && intake === undefined) return serveOperations(life, { log, metrics, health }, config)
  const accepting = openAccepting({ ...loops, matcher, metrics }, config)
  if (intake !== undefined) startIntake({ ...loops, ...accepting, metrics, intake }, config)
  if (!isApi) return serveOperations(life, { log, metrics, health }, config)
  return serveApi(
    life,
    {
      ...{ log, metrics, health, database, bells, availability },
      ...{
        secrets,
        subscriptions,
        egress,
        policy,
        intake: transport.intake,
        publishTrouble: () => transport.publishTrouble(),
      },
      ...accepting,
      stopping: life.stopping,
      identify: identifier(config),
      guard: receiveGuard(config),
    },
    config,
  )
}

/** What the roles `match` and `deliver` name. Answers the one who matches. */
function startWorking(
  needs: MatchLoopNeeds & DeliverLoopNeeds & { readonly counts: Metrics },
  config: NotificationsConfig,
): Matcher | undefined {
  const { health, transport, counts } = needs
  let deliverAtOnce: AtOnce | undefined
  // Before matching, so that it is closed after it: what is matched is sent at once.
  if (config.roles.includes('deliver')) {
    health.add('transport', () => transport.trouble())
    deliverAtOnce = startDelivering(needs, config)
    startRecovering(needs, config)
  }
  if (!config.roles.includes('match')) return undefined
  const matcher = startMatching({ ...needs, deliverAtOnce }, config)
  startBacktesting({ ...needs, backtests: backtestMetrics(counts) }, config)
  startRetention(needs, config)
  return matcher
}

async function serveOperations(
  life: Lifetime,
  needs: Pick<ApiNeeds, 'log' | 'metrics' | 'health'>,
  config: NotificationsConfig,
): Promise<Notifications> {
  const { url } = await serve(life, await createOperations(needs, ABOUT), config)
  return { url: undefined, operations: url }
}

async function serveApi(
  life: Lifetime,
  needs: ApiNeeds,
  config: NotificationsConfig,
): Promise<Notifications> {
  const { url } = await serve(life, await createApi(needs, config, ABOUT), config)
  return { url, operations: url }
}

function serve(life: Lifetime, app: HttpApp, config: NotificationsConfig): Promise<Listening> {
  const { host, port } = config
  const variables = { hostVariable: 'NOTIFICATIONS_HOST', portVariable: 'NOTIFICATIONS_PORT' }
  return listen({ app, life }, { host, port, ...variables })
}

function openEgress(log: Log, config: NotificationsConfig): Egress {
  const { targetAllow: allow, targetDeny: deny, targetCa: ca, targetProxy: proxy } = config
  const ways = { ...(ca === undefined ? {} : { ca }), ...(proxy === undefined ? {} : { proxy }) }
  return createEgress(
    { log },
    { allow, deny, ...ways, userAgent: `pacifica-notifications/${VERSION}` },
  )
}

function policyClient(config: NotificationsConfig): PolicyClient {
  const { policyUrl: url, policyTimeoutMs: timeoutMs, policyConcurrency: connections } = config
  return url === 'allow-all' ? allowAll() : httpPolicyClient({ url, timeoutMs, connections })
}

function identifier(config: NotificationsConfig): Identify {
  const { userHeader, defaultUser, trustedProxies, adminUsers, apiTokens } = config
  const tokens = apiTokens === undefined || apiTokens === 'off' ? [] : readApiTokens(apiTokens)
  return createIdentify({ userHeader, defaultUser, trustedProxies, adminUsers, tokens })
}

function receiveGuard({ receiveAuth }: NotificationsConfig): ReceiveGuard {
  if (receiveAuth === undefined || receiveAuth === 'off') return () => {}
  return createReceiveGuard({ credentials: readReceiveCredentials(receiveAuth) })
}
