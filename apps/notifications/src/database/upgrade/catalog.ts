/** What is really in a database: the columns and indexes of the Python service's tables. */
import type { Sql } from '@pacifica/platform'

export interface CatalogColumn {
  readonly table: string
  readonly name: string
  /** As PostgreSQL writes it: `character varying(255)`. */
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  /** There are rows, and some of them have no value here. */
  readonly hasNulls: boolean
}

export interface CatalogIndex {
  readonly table: string
  /** The columns, joined by commas. */
  readonly columns: string
  readonly primary: boolean
}

export interface Catalog {
  readonly columns: readonly CatalogColumn[]
  readonly indexes: readonly CatalogIndex[]
}

const tablesHere = `
  SELECT relname::text AS table, oid FROM pg_class
  WHERE relname = ANY($1::text[]) AND relkind IN ('r', 'p') AND pg_table_is_visible(oid)`

const readColumns = `
  WITH tables AS (${tablesHere})
  SELECT t.table, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
         a.attnotnull AS "notNull", a.atthasdef OR a.attidentity <> '' AS "hasDefault"
  FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid
  WHERE a.attnum > 0 AND NOT a.attisdropped ORDER BY t.table, a.attnum`

const readIndexes = `
  WITH tables AS (${tablesHere})
  SELECT t.table, i.indisprimary AS primary,
         (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey) WITH ORDINALITY AS k (number, place)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number) AS columns
  FROM tables t JOIN pg_index i ON i.indrelid = t.oid
  WHERE i.indpred IS NULL AND i.indexprs IS NULL`

export async function readCatalog(sql: Sql, tables: readonly string[]): Promise<Catalog> {
  const columns = await sql.query<Omit<CatalogColumn, 'hasNulls'>>(readColumns, [tables])
  const indexes = await sql.query<CatalogIndex>(readIndexes, [tables])
  const looked: CatalogColumn[] = []
  for (const column of columns)
    looked.push({ ...column, hasNulls: !column.notNull && (await hasNulls(sql, column)) })
  return { columns: looked, indexes }
}

async function hasNulls(sql: Sql, column: { table: string; name: string }): Promise<boolean> {
  const [row] = await sql.query<{ found: boolean }>(
    `SELECT EXISTS (SELECT FROM "${column.table}" WHERE "${column.name}" IS NULL) AS found`,
  )
  return row?.found ?? false
}
