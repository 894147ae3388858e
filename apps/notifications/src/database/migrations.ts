/** Where the migrations lie, and whose tables a database holds. */
import { fileURLToPath } from 'node:url'
import type { Sql } from '@pacifica/platform'

/** Found from src/ and dist/ alike. */
export const MIGRATIONS = fileURLToPath(
  new URL('../../../../prisma/notifications/migrations', import.meta.url),
)

/** Its tables are those of the Python service, which a site that switches over has already. */
export const PYTHON_SCHEMA = '20200101000000_python_schema_3_0'

export const PYTHON_TABLES = [
  'eventmatch',
  'eventlog',
  'eventlogmatch',
  'notificationsystem',
] as const

/** `empty`: none of the tables; `python`: the Python service's, not upgraded; `ours`: up to date or pending. */
export type Whose = 'empty' | 'python' | 'ours'

export async function whoseTables(sql: Sql): Promise<Whose> {
  const there = await tablesThere(sql, [...PYTHON_TABLES, RECORDS])
  if (there.includes(RECORDS) && (await isRecorded(sql))) return 'ours'
  return there.some((name) => name !== RECORDS) ? 'python' : 'empty'
}

const RECORDS = '_prisma_migrations'

/**
 * Which of them there are. Not by `to_regclass`: within a transaction that waited for a lock it may answer from before
 * the wait.
 */
export async function tablesThere(sql: Sql, names: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
     WHERE relname = ANY($1::text[]) AND relkind IN ('r', 'p') AND pg_table_is_visible(oid)`,
    [names],
  )
  return rows.map(({ name }) => name)
}

async function isRecorded(sql: Sql): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM "_prisma_migrations" WHERE migration_name = $1 AND rolled_back_at IS NULL`,
    [PYTHON_SCHEMA],
  )
  return rows.length > 0
}
