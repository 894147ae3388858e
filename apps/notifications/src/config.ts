/** What the notifications service can be told, and what it does when it is told nothing. */
import {
  brokerUrlKind,
  type Config,
  ConfigError,
  type ConfigMistake,
  type ConfigSources,
  LOG_LEVELS,
  readConfig,
  setting,
} from '@pacifica/platform'

export const ROLES = ['api', 'match', 'deliver'] as const
export type Role = (typeof ROLES)[number]

const MiB = 1024 * 1024

export const notificationsSettings = {
  host: setting.text('NOTIFICATIONS_HOST', {
    doc: 'Address to listen on.',
    default: '127.0.0.1',
  }),
  port: setting.port('NOTIFICATIONS_PORT', { doc: 'Port to listen on.', default: 8070 }),
  dataDir: setting.path('DATA_DIR', {
    doc: 'Folder for the embedded database and everything else that is kept on disk.',
    default: './.pacifica',
  }),
  databaseUrl: setting.secret('DATABASE_URL', {
    doc: 'PostgreSQL: `postgresql://user:password@host/name`. Not set: an embedded database in DATA_DIR.',
    aliases: ['PEEWEE_URL'],
  }),
  databaseConnectAttempts: setting.integer('DATABASE_CONNECT_ATTEMPTS', {
    doc: 'How often the database is tried at the start.',
    default: 10,
    min: 1,
  }),
  databaseConnectWaitMs: setting.duration('DATABASE_CONNECT_WAIT', {
    doc: 'The wait between two tries.',
    default: '20s',
  }),
  databasePool: setting.integer('DATABASE_POOL', {
    doc: 'Connections to PostgreSQL for each process.',
    default: 10,
    min: 2,
  }),
  brokerUrl: setting.of('BROKER_URL', brokerUrlKind, {
    doc: 'RabbitMQ, the way to dispatchers: `amqp://user:password@host/vhost`. Not set: `dispatch://` targets are tried again until one is reached.',
    secret: true,
  }),
  roles: setting.list('ROLES', {
    doc: 'What this process does: any of `api`, `match` (which asks Policy too), `deliver`.',
    default: ROLES.join(','),
    values: ROLES,
  }),
  policyUrl: setting.url('POLICY_URL', {
    doc: 'Pacifica Policy. `allow-all` lets every user see every event.',
    or: ['allow-all'],
    protocols: ['http:', 'https:'],
    required: true,
  }),
  policyTtlMs: setting.duration('POLICY_TTL', {
    doc: 'How long a yes of Policy holds; an older one is asked for again before anything is sent.',
    default: '10min',
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
  }),
  defaultUser: setting.text('DEFAULT_USER', {
    doc: 'Who asks when no header says so. Not set: such a request is refused.',
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
    default: 64,
    min: 1,
  }),
  disableAfterMs: setting.duration('DISABLE_AFTER', {
    doc: 'A subscription that has only failed for so long is disabled when a delivery is exhausted.',
    default: '5d',
  }),
  maxBody: setting.size('MAX_BODY', { doc: 'The largest request body.', default: '32MiB' }),
  secretKeyFile: setting.path('SECRET_KEY_FILE', {
    doc: "The key that seals subscribers' secrets. Not set: made at the first start, in DATA_DIR.",
  }),
  apiTokens: setting.path('API_TOKENS', {
    doc: 'A file of bearer tokens, `token user [admin]` on each line.',
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
  const mistakes = isLoopback(config.host) ? [] : exposed(config)
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return config
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host)
}

/** What must be said aloud before anybody on the network can reach the service. */
function exposed(config: NotificationsConfig): ConfigMistake[] {
  const where = `the service listens on ${config.host}`
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

/** How long accepted events wait for company before they are committed together. */
export const ACCEPT = { waitMs: 3, maxEvents: 500, maxBytes: 16 * MiB }
export const MATCH = { batch: 100 }
/** A loop that is not rung looks so often. */
export const IDLE_MS = 2_000
/** A lease outlives the request by this: claimed again at the latest 60 s after its worker died (default settings). */
export const LEASE_MARGIN_MS = 30_000
