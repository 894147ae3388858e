/** What the notifications service can be told, and what it does when it is told nothing. */
import {
  brokerUrlKind,
  type Config,
  ConfigError,
  type ConfigMistake,
  type ConfigSources,
  findSetting,
  isLoopback,
  LOG_LEVELS,
  readConfig,
  setting,
} from '@pacifica/platform'
import { databaseUrl } from './config-urls.ts'
import { DEFAULT_CAPS } from './deliver/caps.ts'

export const ROLES = ['api', 'match', 'deliver', 'intake'] as const
export type Role = (typeof ROLES)[number]

const MiB = 1024 * 1024

export const notificationsSettings = {
  configFile: setting.path('NOTIFICATIONS_CONFIG', {
    doc: 'The INI file; `-c` wins. Not set: `~/.pacifica-notifications/config.ini`, if it is there.',
  }),
  cherryPyFile: setting.path('NOTIFICATIONS_CPCONFIG', {
    doc: "CherryPy's file, for address and port; `--cpconfig` wins. Not set: `~/.pacifica-notifications/cpconfig.ini`, if it is there.",
  }),
  host: setting.text('NOTIFICATIONS_HOST', {
    doc: 'Address to listen on.',
    default: '127.0.0.1',
    ini: 'global.server.socket_host',
  }),
  port: setting.port('NOTIFICATIONS_PORT', {
    doc: 'Port to listen on.',
    default: 8070,
    ini: 'global.server.socket_port',
  }),
  dataDir: setting.path('DATA_DIR', {
    doc: 'Folder for the embedded database and everything else that is kept on disk.',
    default: './.pacifica',
  }),
  databaseUrl: setting.of('DATABASE_URL', databaseUrl, {
    doc: 'PostgreSQL; the forms of peewee are taken too. Not set: an embedded database in DATA_DIR.',
    aliases: ['PEEWEE_URL'],
    secret: true,
    ini: 'database.peewee_url',
  }),
  databaseConnectAttempts: setting.integer('DATABASE_CONNECT_ATTEMPTS', {
    doc: 'How often the database is tried at the start. With the role `api` or `intake` the service starts without it.',
    default: 10,
    min: 1,
    ini: 'database.connect_attempts',
  }),
  databaseConnectWaitMs: setting.duration('DATABASE_CONNECT_WAIT', {
    doc: 'The wait between two tries.',
    default: '20s',
    ini: 'database.connect_wait',
  }),
  databasePool: setting.integer('DATABASE_POOL', {
    doc: 'Connections to PostgreSQL for each process.',
    default: 10,
    min: 2,
  }),
  databasePrepare: setting.flag('DATABASE_PREPARE', {
    doc: 'Whether statements that run all the time are prepared. `no`: behind a proxy that gives each transaction another session of the server, such as PgBouncer with `pool_mode = transaction`.',
    default: true,
  }),
  migrateAtStart: setting.flag('MIGRATE_AT_START', {
    doc: 'Whether a start brings the tables on PostgreSQL up to date; `no`: it ends with what to run.',
    default: true,
  }),
  brokerUrl: setting.of('BROKER_URL', brokerUrlKind, {
    doc: 'RabbitMQ, the way to dispatchers, and another way in for events: `amqp://user:password@host/vhost`. Not set: `dispatch://` targets are tried again until one is reached.',
    secret: true,
    ini: 'celery.broker_url',
  }),
  backendUrl: setting.text('BACKEND_URL', {
    doc: "Celery's, ignored: results are rows in the database.",
    ini: 'celery.backend_url',
  }),
  retentionMs: setting.duration('RETENTION', {
    doc: 'Events older than this are purged, with what became of them, unless a delivery is under way; deliveries held for a disabled subscription do not count. Dead letters too, from when they were taken. Not set: kept for ever.',
    min: 3_600_000,
    max: Number.MAX_SAFE_INTEGER,
  }),
  roles: setting.list('ROLES', {
    doc: 'What this process does: any of `api`, `match` (which asks Policy too), `deliver`, `intake` (events, dead letters and what dispatchers tell of their tasks, from the broker).',
    default: ROLES.join(','),
    values: ROLES,
  }),
  policyUrl: setting.url('POLICY_URL', {
    doc: 'Pacifica Policy. `allow-all` lets every user see every event.',
    or: ['allow-all'],
    protocols: ['http:', 'https:'],
    required: true,
    ini: 'notifications.policy_url',
  }),
  matchLeaseMs: setting.duration('MATCH_LEASE', {
    doc: 'How long a worker may take to match a batch of events; then it counts as dead and another takes them over.',
    default: '60s',
    // It must outlast reading the subscriptions, however slow the machine.
    min: 10_000,
  }),
  policyTtlMs: setting.duration('POLICY_TTL', {
    doc: 'How long a yes of Policy holds; an older one is asked for again before anything is sent.',
    default: '10min',
    // Shorter, it might run out between the answer and the delivery, again and again.
    min: 10_000,
  }),
  policyTimeoutMs: setting.duration('POLICY_TIMEOUT', {
    doc: 'How long Policy may take to answer.',
    default: '30s',
  }),
  policyConcurrency: setting.integer('POLICY_CONCURRENCY', {
    doc: 'Questions to Policy at once, for each process.',
    default: 32,
    min: 1,
  }),
  userHeader: setting.text('USER_HEADER', {
    doc: 'The request header in which a trusted proxy names the user.',
    default: 'Http-Remote-User',
    ini: 'notifications.user_header',
  }),
  defaultUser: setting.text('DEFAULT_USER', {
    doc: 'Who asks when no header says so. Not set: such a request is refused.',
    ini: ['DEFAULT.default_user', 'notifications.default_user'],
  }),
  trustedProxies: setting.cidrs('TRUSTED_PROXIES', {
    doc: 'Networks from which the user header is believed.',
    default: '127.0.0.0/8,::1/128',
  }),
  adminUsers: setting.list('ADMIN_USERS', { doc: 'Users who see everything.', default: '' }),
  targetAllow: setting.cidrs('TARGET_ALLOW', {
    doc: 'Networks that targets may lie in although they are not public.',
    default: '',
  }),
  targetDeny: setting.cidrs('TARGET_DENY', {
    doc: 'Networks that targets may not lie in; wins over TARGET_ALLOW.',
    default: '',
  }),
  targetCa: setting.secretFile('TARGET_CA', {
    doc: 'A file of certificates (PEM) that targets may be signed by, besides the usual ones.',
  }),
  targetProxy: setting.url('TARGET_PROXY', {
    doc: 'An outbound proxy for targets, `http://user:password@host:port`. It looks names up, so it must refuse what targets must not reach.',
    protocols: ['http:', 'https:'],
    secret: true,
  }),
  deliveryMaxAttempts: setting.integer('DELIVERY_MAX_ATTEMPTS', {
    doc: 'Requests for one delivery, the first included.',
    default: 10,
    min: 1,
  }),
  deliveryTimeoutMs: setting.duration('DELIVERY_TIMEOUT', {
    doc: 'How long a target may take to answer.',
    default: '30s',
  }),
  deliveryConcurrency: setting.integer('DELIVERY_CONCURRENCY', {
    doc: 'Deliveries in hand at once, for each process.',
    default: 128,
    min: 1,
  }),
  perSubscription: setting.integer('DELIVERY_PER_SUBSCRIPTION', {
    doc: 'Requests in flight to one subscription, over all processes, where it has no `max_concurrency` of its own.',
    default: DEFAULT_CAPS.subscription,
    min: 1,
  }),
  perHost: setting.integer('DELIVERY_PER_HOST', {
    doc: 'Requests in flight to one host, or to one dispatcher, over all processes.',
    default: DEFAULT_CAPS.host,
    min: 1,
  }),
  perOwner: setting.integer('DELIVERY_PER_OWNER', {
    doc: "Requests in flight for one user's subscriptions, over all processes.",
    default: DEFAULT_CAPS.owner,
    min: 1,
  }),
  recoverPace: setting.integer('RECOVER_PACE', {
    doc: 'A recovery adds deliveries of a subscription only while fewer than this many are due or in hand.',
    default: 100,
    min: 1,
    max: 1000,
  }),
  backtestShare: setting.integer('BACKTEST_SHARE', {
    doc: 'Of the time of a process with the role `match`, how much backtests may take, in percent.',
    default: 25,
    min: 1,
    max: 100,
  }),
  backtestsPerUser: setting.integer('BACKTESTS_PER_USER', {
    doc: 'Backtests of one user that run at once; more of them wait.',
    default: 2,
    min: 1,
  }),
  backtestsInAll: setting.integer('BACKTESTS_IN_ALL', {
    doc: 'And of all users.',
    default: 4,
    min: 1,
  }),
  backtestQuestions: setting.integer('BACKTEST_QUESTIONS', {
    doc: 'How often one backtest may ask Policy; then it ends and says how far it came.',
    default: 100_000,
    min: 0,
  }),
  backtestKeepMs: setting.duration('BACKTEST_KEEP', {
    doc: 'How long backtests that have ended are kept; of each user the newest 50.',
    default: '7d',
  }),
  disableAfterMs: setting.duration('DISABLE_AFTER', {
    doc: 'A subscription that has only failed for so long is disabled when a delivery is exhausted.',
    default: '5d',
  }),
  subscriptionsPerUser: setting.integer('SUBSCRIPTIONS_PER_USER', {
    doc: 'How many subscriptions one user may have.',
    default: 10_000,
    min: 1,
  }),
  unindexedPerUser: setting.integer('UNINDEXED_PER_USER', {
    doc: 'How many of those may have an expression that no index finds, which is evaluated on every event.',
    default: 100,
    min: 0,
  }),
  unindexedInAll: setting.integer('UNINDEXED_IN_ALL', {
    doc: 'And how many such subscriptions there may be on the site.',
    default: 5000,
    min: 0,
  }),
  maxBody: setting.size('MAX_BODY', { doc: 'The largest request body.', default: '32MiB' }),
  spoolMax: setting.size('SPOOL_MAX', {
    doc: 'Events kept in DATA_DIR while the database is away, for each process; 0 for none.',
    default: '1GiB',
  }),
  secretKeyFile: setting.path('SECRET_KEY_FILE', {
    doc: "The key that seals subscribers' secrets. Not set: made at the first start, in DATA_DIR.",
  }),
  apiTokens: setting.text('API_TOKENS', {
    doc: 'A file of bearer tokens, `token user [admin]` on each line; `off` is none.',
  }),
  receiveAuth: setting.text('RECEIVE_AUTH', {
    doc: 'A file of credentials for POST /receive, `bearer TOKEN` or `basic USER PASSWORD` on each line; or `off`.',
  }),
  allowAllOnNetwork: setting.flag('ALLOW_ALL_ON_NETWORK', {
    doc: 'Whether POLICY_URL=allow-all is meant although the service listens on more than loopback.',
    default: false,
  }),
  logLevel: setting.oneOf('LOG_LEVEL', {
    doc: 'How much is logged.',
    values: LOG_LEVELS,
    default: 'info',
  }),
}

export type NotificationsConfig = Config<typeof notificationsSettings>

/**
 * Reads the settings, and holds those against each other that are safe only together.
 * @throws ConfigError with every mistake there is
 */
export function readNotificationsConfig(sources: ConfigSources): NotificationsConfig {
  const config = readConfig(notificationsSettings, sources)
  const mistakes = isLoopback(config.host) ? [] : exposed(config, sources)
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return config
}

/** What must be said aloud before anybody on the network can reach the service. */
function exposed(config: NotificationsConfig, sources: ConfigSources): ConfigMistake[] {
  const said = findSetting(notificationsSettings.host, sources)?.name ?? 'NOTIFICATIONS_HOST'
  const where = `the service listens on ${config.host} (${said})`
  const mistakes: ConfigMistake[] = []
  if (config.policyUrl === 'allow-all' && !config.allowAllOnNetwork)
    mistakes.push({
      name: 'POLICY_URL',
      message: `allow-all shows every event to everybody, and ${where}: set the URL of Policy, or ALLOW_ALL_ON_NETWORK=yes`,
    })
  if (config.receiveAuth === undefined && config.roles.includes('api'))
    mistakes.push({
      name: 'RECEIVE_AUTH',
      message: `not set, and ${where}, where anybody could post events: name a file of credentials, or say off`,
    })
  return mistakes
}

/** How long accepted events wait for company before they are committed together, and how long a commit may take. */
export const ACCEPT = { waitMs: 1, maxEvents: 500, maxBytes: 16 * MiB, commitMs: 10_000 }
/** With so many in hand they wait longer: what comes of them takes longer still, and fewer commits leave it more time. */
export const ACCEPT_BUSY = { inHand: 128, waitMs: 3 }
/** How much of the spool is stored with one statement, and how often it is looked at. */
export const TAKE_IN = { maxFiles: 500, maxBytes: 16 * MiB, idleMs: 5_000 }
/** Events are kept for a while as they were read: so many characters of them, for each process. */
export const RECENT_EVENTS = 4 * MiB
/** How results wait for company: while one group is stored the next one grows. */
export const TOGETHER = { maxItems: 200, waitMs: 1 }
/** A batch takes a sixth of its lease at the most, so that what is left is enough to record it. */
export const MATCH = {
  ...{ batch: 100, leasePerBatch: 6 },
  inHand: { events: 250, length: RECENT_EVENTS },
  ...{ patienceMs: 250, restMs: 5_000 },
}
/** An event waits for Policy no longer than this before what it matches is stored; then the question is stored too. */
export const ASK_AT_ONCE = { mostUsers: 16, waitMs: 5_000, patienceMs: 1_000, restMs: 10_000 }
/** A loop that is not rung looks so often. */
export const IDLE_MS = 2_000
/** A recovery is looked at so often. */
export const RECOVER_EVERY_MS = 1_000
/** A backtest works for a slice and then rests; after a turn it stores how far it came, and another one has its turn. */
export const BACKTEST = {
  sliceMs: 25,
  turnMs: 2_000,
  silenceMs: 5_000,
  batch: { events: 200, bytes: 8 * MiB },
  questionsAtOnce: 4,
  answersKept: 50_000,
}
/** Lanes are held against their deliveries so often: what was missed waits no longer. */
export const FOLLOW_EVERY_MS = 30_000
/** A lease outlives the request by this: claimed again at the latest 60 s after its worker died (default settings). */
export const LEASE_MARGIN_MS = 30_000
