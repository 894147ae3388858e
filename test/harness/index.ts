/** What tests take from the harness. */

export { type Ended, runCommand } from './command.ts'
export {
  ENGINES,
  type Engine,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from './migrated-database.ts'
export { type Described, describedApi, UndescribedReplyError } from './openapi.ts'
export { type Postgres, startPostgres, type TestDatabase } from './postgres.ts'
export { IDS, PYTHON_DATABASES, pythonEvents, pythonSubscriptions } from './python-database.ts'
export { freePort, type ServiceProcess, startService } from './service-process.ts'
export { createTestDatabase } from './test-database.ts'
export { linesOf, spawnTypeScript } from './typescript-process.ts'
