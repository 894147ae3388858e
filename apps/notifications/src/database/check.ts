/** `dbchk`: whether a service of this version may run on a database. */
import { MigrationError, pendingMigrations, type Sql } from '@pacifica/platform'
import { MIGRATIONS, whoseTables } from './migrations.ts'

/**
 * Why not; undefined when it may. With `equal` the tables must be exactly this version's; otherwise those of a later
 * version will do, because migrations only add.
 */
export async function troubleWithTables(
  sql: Sql,
  options: { equal: boolean },
): Promise<string | undefined> {
  const whose = await whoseTables(sql)
  if (whose === 'empty') return 'the database is empty: run dbsync'
  if (whose === 'python') return 'the tables are those of the Python service: run dbsync'
  try {
    const { pending, changed, unknown } = await pendingMigrations(sql, MIGRATIONS)
    if (changed.length > 0)
      return `these migrations are not what was applied: ${changed.join(', ')}`
    if (pending.length > 0) return `the tables lack ${pending.join(', ')}: run dbsync`
    if (options.equal && unknown.length > 0)
      return `the tables are those of a later version: ${unknown.join(', ')}`
    return undefined
  } catch (error) {
    if (error instanceof MigrationError) return error.message
    throw error
  }
}
