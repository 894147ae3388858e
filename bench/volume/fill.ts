/**
 * Fills a service's tables: its indexes are put away meanwhile and built again at the end, from their own definitions,
 * and no foreign key and no trigger is looked at. Rows are made by the server, a slice at a time.
 */
import type { Database, Sql } from '@pacifica/platform'

/** From one number to another, both included. */
export type Slice = (sql: Sql, from: number, to: number) => Promise<unknown>

export interface Filling {
  readonly what: string
  readonly rows: number
  /** Rows of one slice. */
  readonly slice: number
  readonly fill: Slice
}

export async function fillTables(
  database: Database,
  fillings: readonly Filling[],
  print: (line: string) => void,
): Promise<void> {
  const indexes = await putAway(database)
  for (const filling of fillings) await fillOne(database, filling, print)
  print(`builds ${indexes.length} indexes`)
  for (const { definition } of indexes) await database.query(definition)
}

interface Index {
  readonly name: string
  readonly definition: string
}

/** Not those of constraints: rows are told apart by them. */
const INDEXES = `
  SELECT c.relname AS name, pg_get_indexdef(i.indexrelid) AS definition
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
  WHERE c.relnamespace = 'public'::regnamespace AND NOT i.indisunique ORDER BY c.relname`

async function putAway(database: Database): Promise<Index[]> {
  const indexes = await database.query<Index>(INDEXES)
  for (const { name } of indexes) await database.query(`DROP INDEX "${name}"`)
  return indexes
}

async function fillOne(
  database: Database,
  { what, rows, slice, fill }: Filling,
  print: (line: string) => void,
): Promise<void> {
  const began = performance.now()
  for (let from = 1; from <= rows; from += slice) {
    const to = Math.min(rows, from + slice - 1)
    await database.transaction(async (sql) => {
      await sql.query('SET LOCAL session_replication_role = replica')
      await sql.query('SET LOCAL synchronous_commit = off')
      await fill(sql, from, to)
    })
    const seconds = ((performance.now() - began) / 1000).toFixed(0)
    print(`${what}: ${to.toLocaleString('en')} of ${rows.toLocaleString('en')}, ${seconds} s`)
  }
}
