/** How large tables and their indexes are. */
import type { Sql } from '@pacifica/platform'

export interface TableSize {
  readonly name: string
  readonly rows: number
  /** Bytes: of the rows with what lies beside them (TOAST), and of all indexes. */
  readonly table: number
  readonly indexes: number
}

export interface IndexSize {
  readonly name: string
  readonly table: string
  readonly bytes: number
}

const TABLES = `
  SELECT relname AS name, greatest(reltuples, 0)::bigint AS rows, pg_table_size(oid) AS table, pg_indexes_size(oid) AS indexes
  FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> '_prisma_migrations'
  ORDER BY pg_total_relation_size(oid) DESC, relname`

const INDEXES = `
  SELECT c.relname AS name, t.relname AS table, pg_relation_size(c.oid) AS bytes
  FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
  WHERE c.relnamespace = 'public'::regnamespace AND t.relname <> '_prisma_migrations'
  ORDER BY bytes DESC, name`

export function tableSizes(sql: Sql): Promise<TableSize[]> {
  return sql.query<TableSize>(TABLES)
}

export function indexSizes(sql: Sql): Promise<IndexSize[]> {
  return sql.query<IndexSize>(INDEXES)
}

/** 1024-based, for people. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB']
  let [value, unit] = [n, 0]
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value.toFixed(value < 10 && unit > 0 ? 1 : 0)} ${units[unit]}`
}
