export { type CherryPyFile, parseCherryPy } from './config/cherrypy.ts'
export type { ConfigMistake } from './config/config-error.ts'
export { ConfigError } from './config/config-error.ts'
export { type IniOptions, parseIni } from './config/ini.ts'
export { isLoopback } from './config/is-loopback.ts'
export type { Kind, Parsed, Range } from './config/kinds.ts'
export type { Config, ConfigSources, IniFile, Settings } from './config/read-config.ts'
export { findSetting, readConfig } from './config/read-config.ts'
export type { Setting, SettingOptions } from './config/setting.ts'
export { setting } from './config/setting.ts'
export { settingsTable } from './config/settings-table.ts'
export { parseDuration, parseSize } from './config/units.ts'
export {
  type Database,
  DatabaseConnectError,
  DatabaseUrlError,
  FolderInUseError,
  FolderUnusableError,
  isUnavailable,
  lockFolder,
  lockMigrations,
  lookAtMigrations,
  MigrationError,
  type MigrationState,
  migrate,
  migrateWithin,
  migrationsCheck,
  type OpenDatabaseOptions,
  openDatabase,
  pendingMigrations,
  type Row,
  type Sql,
  sqlState,
  TransactionBypassedError,
  TransactionLostError,
  textArray,
} from './database/index.ts'
export {
  AddressRangeError,
  type AddressRanges,
  addressRanges,
  createEgress,
  type Egress,
  type EgressOptions,
  type EgressOutcome,
  type EgressRequest,
  type EgressResponse,
  type ExchangeOptions,
  exchange,
  MAX_RESPONSE_BODY,
  MAX_RESPONSE_HEADERS,
  type Posted,
  type Resolve,
  type ResolvedAddress,
} from './egress/index.ts'
export { type ApiSecurity, NOBODY, type SecurityScheme } from './http/api-security.ts'
export type { HttpApp } from './http/app-type.ts'
export { rawBodyRoutes, readRawBodies } from './http/bodies.ts'
export type { ErrorPlace, ErrorReply, ErrorTable } from './http/error-reply.ts'
export { errorReply, statusLine } from './http/error-reply.ts'
export type { HttpAppOptions } from './http/http-app.ts'
export { createHttpApp } from './http/http-app.ts'
export type { Listening, ListenOptions } from './http/listen.ts'
export { ListenError, listen, PortInUseError } from './http/listen.ts'
export { validationPlaces } from './http/validation.ts'
export { type KnownSecrets, knownSecrets } from './identity/known-secrets.ts'
export {
  type ApiToken,
  bearerToken,
  CredentialFileError,
  type ReceiveCredential,
  readApiTokens,
  readReceiveCredentials,
} from './identity/tokens.ts'
export { randomBytes } from './random-bytes.ts'
export type { BackoffOptions } from './runtime/backoff.ts'
export { backoff } from './runtime/backoff.ts'
export type { Batcher, BatcherOptions } from './runtime/batcher.ts'
export { BatcherClosedError, batcher } from './runtime/batcher.ts'
export type { Bell } from './runtime/bell.ts'
export { createBell } from './runtime/bell.ts'
export type { Budget } from './runtime/budget.ts'
export { createBudget } from './runtime/budget.ts'
export type { InsistOptions } from './runtime/insist.ts'
export { insist } from './runtime/insist.ts'
export type { Lifetime, LifetimeControl, LifetimeOptions } from './runtime/lifetime.ts'
export { createLifetime } from './runtime/lifetime.ts'
export { oneAtATime } from './runtime/one-at-a-time.ts'
export type { ProcessLike, RunProcessOptions } from './runtime/run-process.ts'
export { runProcess, STOP_MS } from './runtime/run-process.ts'
export { sleep } from './runtime/sleep.ts'
export type { Slots } from './runtime/slots.ts'
export { claimInSlots, createSlots } from './runtime/slots.ts'
export type { WorkLoopOptions } from './runtime/work-loop.ts'
export { workLoop } from './runtime/work-loop.ts'
export type { Check, Health, HealthReport } from './telemetry/health.ts'
export { createHealth } from './telemetry/health.ts'
export type { Log, LogLevel } from './telemetry/log.ts'
export { createLog, LOG_LEVELS, logLevelOf } from './telemetry/log.ts'
export type { Counter, Gauge, Histogram, MetricNaming, Metrics } from './telemetry/metrics.ts'
export { createMetrics } from './telemetry/metrics.ts'
export { maskCredentials } from './telemetry/redact.ts'
export { childTrace, newTrace, readTrace } from './telemetry/trace.ts'
export type { InProcessOptions } from './transport/in-process.ts'
export { createInProcessTransport } from './transport/in-process.ts'
export type { BrokerMessage, DeadMessage, Death, Intake } from './transport/intake.ts'
export { BrokerUrlError, brokerUrlKind } from './transport/rabbitmq/broker-url.ts'
export { dispatchTrouble } from './transport/rabbitmq/message.ts'
export { createRabbitmqTransport, type RabbitmqOptions } from './transport/rabbitmq/rabbitmq.ts'
export type { TaskEventMessage, TaskEvents } from './transport/task-events.ts'
export type {
  Consumer,
  DispatchMessage,
  PublishOutcome,
  Transport,
} from './transport/transport.ts'
export { DISPATCHER_NAME } from './transport/transport.ts'
export {
  DispatcherNameError,
  RefusedMessageError,
  TransportClosedError,
  UnreadableDispatchError,
} from './transport/transport-errors.ts'
