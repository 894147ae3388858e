export type { Database, Planned, Row, Sql } from './database.ts'
export { FolderInUseError, FolderUnusableError, lockFolder } from './embedded/folder-lock.ts'
export { lookAtMigrations, migrationsCheck } from './look-at-migrations.ts'
export {
  lockMigrations,
  MigrationError,
  type MigrationState,
  migrate,
  migrateWithin,
  pendingMigrations,
} from './migrate.ts'
export { type OpenDatabaseOptions, openDatabase } from './open-database.ts'
export { TransactionBypassedError, TransactionLostError } from './pool-database.ts'
export { DatabaseUrlError } from './postgresql/database-url.ts'
export { DatabaseConnectError } from './postgresql/open-server.ts'
export { textArray } from './text-array.ts'
export { isUnavailable, sqlState } from './unavailable.ts'
