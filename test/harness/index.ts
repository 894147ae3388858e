/** What tests take from the harness. */

export { type Authority, authority } from './authority.ts'
export { type Ended, runCommand } from './command.ts'
export {
  type ComposeFile,
  type ComposeService,
  composeText,
  programOf,
  readCompose,
  VARIABLE,
} from './compose-file.ts'
export { type DueDeliveries, emptyTables, fillDue } from './due-deliveries.ts'
export { freePort } from './free-port.ts'
export { buildImage, type Image } from './image.ts'
export {
  ENGINES,
  type Engine,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from './migrated-database.ts'
export { type Described, describedApi, UndescribedReplyError } from './openapi.ts'
export { type Postgres, startPostgres, type TestDatabase } from './postgres.ts'
export { postgresBinaries } from './postgres-binaries.ts'
export { needPython, PYTHON_MS } from './python.ts'
export { IDS, PYTHON_DATABASES, pythonEvents, pythonSubscriptions } from './python-database.ts'
export { type Rabbitmq, startRabbitmq, type TestVhost } from './rabbitmq.ts'
export { createTestVhost } from './rabbitmq-vhost.ts'
export { type ServiceProcess, startService } from './service-process.ts'
export { type SessionProxy, startSessionProxy } from './session-proxy.ts'
export {
  type BrokerChannel,
  eventually,
  isReady,
  openSiteWithBroker,
  type PublishOptions,
  type Site,
} from './site-with-broker.ts'
export { someoneWaits } from './someone-waits.ts'
export { openStack, type Stack, type StackProcess } from './stack.ts'
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'
export { createTestDatabase } from './test-database.ts'
export { linesOf, spawnTypeScript } from './typescript-process.ts'
