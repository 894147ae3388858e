/**
 * `dbmove`: copies all rows of one database into an empty one, of whichever engine. One transaction on the target, so
 * that it stays empty unless every table arrived and was compared.
 */
import {
  type Database,
  lockMigrations,
  migrate,
  migrateWithin,
  type Row,
  type Sql,
} from '@pacifica/platform'
import { MIGRATIONS, whoseTables } from './migrations.ts'

export class MoveError extends Error {
  readonly code = 'MOVE'
}

export interface MovedTable {
  readonly table: string
  readonly rows: number
}

/** @throws MoveError, MigrationError: the target is as it was */
export async function moveTables(source: Database, target: Database): Promise<MovedTable[]> {
  if ((await whoseTables(source)) !== 'ours')
    throw new MoveError('There is nothing to move: the folder holds no tables of this service')
  await migrate(source, MIGRATIONS)
  return target.transaction(async (into) => {
    await lockMigrations(into)
    await refuseUnlessEmpty(into)
    await migrateWithin(into, MIGRATIONS)
    return source.transaction((from) => copyAll(from, into))
  })
}

async function refuseUnlessEmpty(sql: Sql): Promise<void> {
  const tables = await sql.query<{ name: string }>(
    `SELECT relname::text AS name FROM pg_class
     WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace ORDER BY relname`,
  )
  if (tables.length === 0) return
  const names = tables.map(({ name }) => name)
  throw new MoveError(
    `The target is not empty (${names.slice(0, 5).join(', ')}${names.length > 5 ? ', …' : ''}): name an empty database`,
  )
}

async function copyAll(from: Sql, into: Sql): Promise<MovedTable[]> {
  const tables = await tablesInOrder(into)
  // What the migrations themselves put in is in the source too.
  for (const { name } of [...tables].reverse()) await into.query(`DELETE FROM "${name}"`)
  const moved: MovedTable[] = []
  for (const table of tables) {
    await copyTable(from, into, table)
    await copySequences(from, into, table)
    moved.push({ table: table.name, rows: await compare(from, into, table) })
  }
  return moved
}

interface Table {
  readonly name: string
  /** In quotes, joined by commas. */
  readonly columns: string
}

/** Referenced tables before those that refer to them. */
const readTables = `
  WITH RECURSIVE ours AS (
    SELECT oid, relname::text AS name FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname <> '_prisma_migrations'),
  depth AS (
    SELECT oid, 0 AS level FROM ours
    UNION
    SELECT c.conrelid, d.level + 1 FROM depth d
    JOIN pg_constraint c ON c.contype = 'f' AND c.confrelid = d.oid AND c.conrelid <> c.confrelid WHERE d.level < 50)
  SELECT ours.name, (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
                     WHERE attrelid = ours.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns
  FROM ours JOIN depth USING (oid) GROUP BY ours.oid, ours.name ORDER BY max(level), ours.name`

function tablesInOrder(sql: Sql): Promise<Table[]> {
  return sql.query<Table>(readTables)
}

const FETCH = 50
/** Rows that are sent together, in characters of their JSON. */
const ENOUGH = 4_000_000

async function copyTable(from: Sql, into: Sql, { name, columns }: Table): Promise<void> {
  const insert = `
    INSERT INTO "${name}" (${columns}) OVERRIDING SYSTEM VALUE
    SELECT ${columns} FROM json_populate_recordset(NULL::"${name}", $1::json)`
  const cursor = `move_${name}`
  await from.query(
    `DECLARE "${cursor}" CURSOR FOR SELECT row_to_json(t)::text AS row FROM "${name}" t`,
  )
  let rows: string[] = []
  let size = 0
  const send = async () => {
    if (rows.length > 0) await into.query(insert, [`[${rows.join(',')}]`])
    rows = []
    size = 0
  }
  for (;;) {
    const fetched = await from.query<{ row: string }>(`FETCH ${FETCH} FROM "${cursor}"`)
    if (fetched.length === 0) break
    rows.push(...fetched.map(({ row }) => row))
    size += fetched.reduce((sum, { row }) => sum + row.length, 0)
    if (size > ENOUGH) await send()
  }
  await send()
  await from.query(`CLOSE "${cursor}"`)
}

const readSequences = `
  SELECT a.attname::text AS column, pg_get_serial_sequence($1, a.attname) AS sequence FROM pg_attribute a
  WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped
    AND pg_get_serial_sequence($1, a.attname) IS NOT NULL`

/** As far as the source counted, not as far as there are rows: numbers are never given twice. */
async function copySequences(from: Sql, into: Sql, { name }: Table): Promise<void> {
  const table = `"${name}"`
  const there = await into.query<{ column: string; sequence: string }>(readSequences, [table])
  const here = await from.query<{ column: string; sequence: string }>(readSequences, [table])
  for (const { column, sequence } of there) {
    const counted = here.find((other) => other.column === column)?.sequence
    const [state] = await from.query<Row>(`SELECT last_value, is_called FROM ${counted}`)
    await into.query('SELECT setval($1::regclass, $2::bigint, $3::boolean)', [
      sequence,
      state?.['last_value'],
      state?.['is_called'],
    ])
  }
}

/** Rows and a sum over their content, whatever their order. */
async function compare(from: Sql, into: Sql, { name, columns }: Table): Promise<number> {
  const sum = `
    SELECT count(*) AS rows,
           coalesce(sum(('x' || left(md5(row_to_json(t)::text), 12))::bit(48)::bigint), 0)::text AS content
    FROM (SELECT ${columns} FROM "${name}") AS t`
  const [[was], [is]] = [
    await from.query<{ rows: number; content: string }>(sum),
    await into.query<{ rows: number; content: string }>(sum),
  ]
  if (was === undefined || is === undefined || was.rows !== is.rows || was.content !== is.content)
    throw new MoveError(
      `${name} did not arrive as it was (${was?.rows} rows, ${is?.rows} there): nothing was moved`,
    )
  return is.rows
}
