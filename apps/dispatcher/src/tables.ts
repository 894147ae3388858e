/** Brings the dispatcher's tables up to date, at a start or by `--migrate`. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Database,
  type Log,
  lookAtMigrations,
  type MigrationState,
  migrate,
  openDatabase,
} from '@pacifica/platform'
import type { DispatcherConfig } from './config.ts'

/** Beside src/ and dist/ alike. */
const MIGRATIONS = fileURLToPath(new URL('../../../prisma/dispatcher/migrations', import.meta.url))

/** A start is told not to migrate. */
export class MigrationsPendingError extends Error {
  readonly code = 'MIGRATIONS_PENDING'
  constructor(pending: readonly string[]) {
    super(
      `The database lacks ${pending.length} migrations (${pending.join(', ')}) and MIGRATE_AT_START is no: start the dispatcher with --migrate once, which applies them and ends`,
    )
  }
}

/**
 * An embedded database is always migrated here; one on a server unless MIGRATE_AT_START says that somebody else does it.
 * @returns how to look at them later, for readiness
 * @throws MigrationsPendingError
 */
export async function prepareTables(
  { database, log }: { database: Database; log: Log },
  { migrateAtStart }: Pick<DispatcherConfig, 'migrateAtStart'>,
): Promise<() => Promise<MigrationState>> {
  const look = lookAtMigrations({ sql: database, log }, MIGRATIONS)
  const { pending } = await look()
  if (!migrateAtStart && database.engine === 'postgresql' && pending.length > 0)
    throw new MigrationsPendingError(pending)
  for (const migration of await migrate(database, MIGRATIONS))
    log.info({ migration }, 'database.migrated')
  return look
}

/** Of the embedded database. */
export function databaseFolder({ dataDir }: Pick<DispatcherConfig, 'dataDir'>): string {
  return resolve(dataDir, 'dispatcher/database')
}

/** Migrates the configured database and lets go of it; statements take as long as they take. */
export async function migrateTables(
  { log }: { log: Log },
  config: DispatcherConfig,
): Promise<string[]> {
  const { databaseUrl: url, connectAttempts, connectWaitMs } = config
  const folder = databaseFolder(config)
  const limits = { connectAttempts, connectWaitMs, statementMs: 0 }
  const database = await openDatabase({ log }, { url, folder, ...limits })
  try {
    return await migrate(database, MIGRATIONS)
  } finally {
    await database.close()
  }
}
