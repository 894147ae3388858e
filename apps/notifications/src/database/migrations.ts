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
  const [{ python, records } = { python: false, records: false }] = await sql.query<{
    python: boolean
    records: boolean
  }>(
    `SELECT bool_or(to_regclass(quote_ident(name)) IS NOT NULL) AS python,
            to_regclass('"_prisma_migrations"') IS NOT NULL AS records
     FROM unnest($1::text[]) AS name`,
    [PYTHON_TABLES],
  )
  if (records && (await isRecorded(sql))) return 'ours'
  return python ? 'python' : 'empty'
}

async function isRecorded(sql: Sql): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM "_prisma_migrations" WHERE migration_name = $1 AND rolled_back_at IS NULL`,
    [PYTHON_SCHEMA],
  )
  return rows.length > 0
}
