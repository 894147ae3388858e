/**
 * A statement as PostgreSQL runs it once it has been prepared and run often: by a plan that knows no values. Only EXECUTE
 * can be explained so, and it takes no parameters: the server writes the values out.
 */
import type { Sql } from '@pacifica/platform'

const NAME = 'bench_explained'

/** The answer of EXPLAIN. Whoever asks rolls back what the statement did, and the setting with it. */
export async function explainGeneric(
  sql: Sql,
  explain: string,
  text: string,
  values: readonly unknown[],
): Promise<unknown> {
  await sql.query(`PREPARE ${NAME} AS ${text}`)
  const given = await writtenOut(sql, values)
  await sql.query('SET LOCAL plan_cache_mode = force_generic_plan')
  const [row] = await sql.query<{ 'QUERY PLAN': unknown }>(`${explain} EXECUTE ${NAME}${given}`)
  await sql.query(`DEALLOCATE ${NAME}`)
  return row?.['QUERY PLAN']
}

const TYPES = `SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = '${NAME}'`

async function writtenOut(sql: Sql, values: readonly unknown[]): Promise<string> {
  if (values.length === 0) return ''
  const [prepared] = await sql.query<{ types: string[] }>(TYPES)
  const quoted = prepared?.types.map(
    (type, index) => `quote_nullable($${index + 1}::${type}::text)`,
  )
  const [row] = await sql.query<{ given: string }>(
    `SELECT concat_ws(', ', ${quoted?.join(', ')}) AS given`,
    values,
  )
  return `(${row?.given})`
}
