/** Every setting of the dispatcher, declared once. */
import {
  type Config,
  ConfigError,
  DISPATCHER_NAME,
  isLoopback,
  LOG_LEVELS,
  setting,
} from '@pacifica/platform'

/** RFC 9110, 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i

export const dispatcherSettings = {
  host: setting.text('DISPATCHER_HOST', {
    default: '127.0.0.1',
    doc: 'Address that the API listens on',
  }),
  port: setting.port('DISPATCHER_PORT', { default: 8069, doc: 'Port of the API' }),
  dataDir: setting.path('DATA_DIR', {
    default: './.pacifica',
    doc: 'Embedded database and scratch folders, below `dispatcher/`',
  }),
  databaseUrl: setting.secret('DISPATCHER_DATABASE_URL', {
    doc: 'PostgreSQL of the dispatcher; not set: embedded, in DATA_DIR',
  }),
  connectAttempts: setting.integer('DATABASE_CONNECT_ATTEMPTS', {
    default: 10,
    min: 1,
    doc: 'How often the database is tried at the start',
  }),
  connectWaitMs: setting.duration('DATABASE_CONNECT_WAIT', {
    default: '20s',
    doc: 'The wait between two tries',
  }),
  migrateAtStart: setting.flag('MIGRATE_AT_START', {
    default: true,
    doc: 'Whether a start brings the tables on PostgreSQL up to date; `no`: it ends with what to run',
  }),
  name: setting.text('DISPATCHER_NAME', {
    doc: "What subscriptions call it: `dispatch://NAME`; not set: the module's own name",
    check: (name) => (DISPATCHER_NAME.test(name) ? undefined : "use 1 to 64 of a-z, 0-9 and '-'"),
  }),
  module: setting.text('DISPATCHER_MODULE', {
    default: '@pacifica/example-uppercase',
    doc: 'Package, file, or folder with a package.json, whose default export is the dispatcher (`defineDispatcher`)',
  }),
  cartdUrl: setting.url('CARTD_URL', {
    protocols: ['file:', 'http:', 'https:'],
    doc: "Where input files come from: Cartd's URL, or a folder, `file:///…`",
    check: noHostInFileUrl,
  }),
  cartdUser: setting.text('CARTD_USER', { doc: 'User for Cartd (basic authentication)' }),
  cartdPassword: setting.secret('CARTD_PASSWORD', { doc: "That user's password" }),
  ingestUrl: setting.url('INGEST_URL', {
    protocols: ['file:', 'http:', 'https:'],
    doc: "Where result bundles go: Ingest's URL, or a folder, `file:///…`",
    check: noHostInFileUrl,
  }),
  ingestStatusUrl: setting.url('INGEST_STATUS_URL', {
    protocols: ['http:', 'https:'],
    doc: "Where Ingest's jobs are asked for; not set: `INGEST_URL/get_state`",
  }),
  ingestUser: setting.text('INGEST_USER', { doc: 'User for Ingest (basic authentication)' }),
  ingestPassword: setting.secret('INGEST_PASSWORD', { doc: "That user's password" }),
  ingestAuthedUser: setting.text('INGEST_AUTHED_USER', {
    doc: 'The user that Ingest, which trusts its proxy, is told of in a header; not set: no header',
  }),
  ingestAuthedUserHeader: setting.text('INGEST_AUTHED_USER_HEADER', {
    default: 'X-Http-Authed-User',
    doc: 'The name of that header',
    check: (name) => (HEADER_NAME.test(name) ? undefined : 'no header can have this name'),
  }),
  metadataUrl: setting.url('METADATA_URL', {
    protocols: ['http:', 'https:'],
    doc: "Metadata's URL, asked whether a bundle arrived when a crash leaves that in doubt; not set: such a bundle is sent again",
  }),
  unsureWaitMs: setting.duration('DISPATCHER_UNSURE_WAIT', {
    default: '1h',
    min: 0,
    doc: 'How long Ingest may take over a bundle until Metadata knows of it; only then is a bundle in doubt sent again',
  }),
  concurrency: setting.integer('DISPATCHER_CONCURRENCY', {
    default: 2,
    min: 1,
    max: 1_000,
    doc: 'How many tasks run at once in this process',
  }),
  bytesInHand: setting.size('DISPATCHER_BYTES_IN_HAND', {
    min: 1,
    doc: 'How many bytes of input files the tasks that run at once in this process may have together; a task that has more fails at once; not set: no limit',
  }),
  scratchQuota: setting.size('DISPATCHER_SCRATCH_QUOTA', {
    min: 1,
    doc: "How much a task's folder may hold, looked at every second; a task that has more there is ended and fails; not set: no limit",
  }),
  taskRetentionMs: setting.duration('DISPATCHER_TASK_RETENTION', {
    min: 1,
    doc: 'Tasks that ended longer ago are deleted, with their logs and what is known of their bundles; not set: they are kept',
  }),
  dryRunKeepMs: setting.duration('DISPATCHER_DRY_RUN_KEEP', {
    default: '7d',
    min: 1,
    doc: 'How long the bundles of dry runs are kept, in DATA_DIR',
  }),
  taskTimeoutMs: setting.duration('DISPATCHER_TASK_TIMEOUT', {
    default: '12h',
    min: 1,
    doc: 'A task that takes longer is told to end: `504 Gateway Timeout`',
  }),
  taskGraceMs: setting.duration('DISPATCHER_TASK_GRACE', {
    default: '10s',
    min: 0,
    doc: 'How long a handler may take to end after it was told to; then its processes are killed',
  }),
  retries: setting.integer('DISPATCHER_TASK_RETRIES', {
    default: 20,
    min: 0,
    max: 1_000,
    doc: 'How often a task is tried again after an error that may pass (Cartd or Ingest away, `RetryableError`)',
  }),
  retryWaitMs: setting.duration('DISPATCHER_RETRY_WAIT', {
    default: '10s',
    min: 1,
    doc: 'The wait before the first of these; doubled each time, up to an hour',
  }),
  maxStarts: setting.integer('DISPATCHER_TASK_STARTS', {
    default: 5,
    min: 1,
    doc: 'A task begun so often without an end (each time its process, or this one, died) has failed',
  }),
  leaseMs: setting.duration('DISPATCHER_LEASE', {
    default: '60s',
    min: 1_000,
    doc: 'How long after its last sign of life a worker counts as dead',
  }),
  handlerEnv: setting.list('DISPATCHER_HANDLER_ENV', {
    doc: 'Variables that handlers see, beside PATH, HOME, LANG, TZ and the like: `LICENSE_SERVER,MODEL_DIR`',
  }),
  maxDownload: setting.size('DISPATCHER_MAX_DOWNLOAD', {
    doc: 'Most bytes that one download of a task may bring; not set: no limit',
  }),
  maxLog: setting.size('DISPATCHER_TASK_LOG', {
    default: '1MiB',
    doc: 'How much of what a run writes is kept: its beginning and its end',
  }),
  apiTokens: setting.text('API_TOKENS', {
    doc: 'A file of bearer tokens, `token user` on each line, one of which every request must show; or `off`',
  }),
  maxBody: setting.size('MAX_BODY', { default: '32MiB', doc: 'Largest event that is taken' }),
  logLevel: setting.oneOf('LOG_LEVEL', {
    values: LOG_LEVELS,
    default: 'info',
    doc: 'How much is logged',
  }),
} as const

export type DispatcherConfig = Config<typeof dispatcherSettings>

/** What must be said aloud before anybody on the network can reach the API. @throws ConfigError */
export function refuseExposed({ host, apiTokens }: DispatcherConfig): void {
  if (isLoopback(host) || apiTokens !== undefined) return
  const where = `the dispatcher listens on ${host} (DISPATCHER_HOST)`
  const message = `not set, and ${where}, where anybody could read its tasks and give it events: name a file of tokens, or say off`
  throw new ConfigError([{ name: 'API_TOKENS', message }])
}

function noHostInFileUrl({ protocol, host }: URL): string | undefined {
  if (protocol !== 'file:' || host === '') return undefined
  return 'a file URL names no host: file:///path'
}
