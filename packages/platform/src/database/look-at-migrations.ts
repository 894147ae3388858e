/** What a process sees of its tables' version, at its start and while it runs: a newer one is told once, in one line. */
import type { Check } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { Sql } from './database.ts'
import { type MigrationState, pendingMigrations } from './migrate.ts'

/** Looks at the migrations in `folder`; whoever looks first at tables of a later version says so in the log. */
export function lookAtMigrations(
  { sql, log }: { sql: Sql; log: Pick<Log, 'warn'> },
  folder: string,
): () => Promise<MigrationState> {
  let told = ''
  return async () => {
    const state = await pendingMigrations(sql, folder)
    const migrations = state.unknown
    if (migrations.length > 0 && told !== migrations.join()) {
      told = migrations.join()
      const advice = 'the tables are of a later version: this process goes on; replace it'
      log.warn({ migrations, advice }, 'database.newer')
    }
    return state
  }
}

/** For readiness. Tables of a later version will do: migrations only add. */
export function migrationsCheck(look: () => Promise<MigrationState>): Check {
  return async () => {
    const { pending, changed } = await look()
    if (changed.length > 0) return `not what was applied: ${changed.join(', ')}`
    return pending.length === 0 ? undefined : `not applied: ${pending.join(', ')}`
  }
}
