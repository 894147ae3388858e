/**
 * The database as both services see it: PostgreSQL, either a server or embedded in this process (PGlite).
 * Hot paths speak SQL through `query`; typed reads and writes of single rows go through Prisma by `adapter`.
 */
import type { SqlDriverAdapterFactory } from '@prisma/client/runtime/client'
import type { Bell } from '../runtime/bell.ts'

export type Row = Record<string, unknown>

/**
 * Values come back as: int2, int4, int8 → number; numeric → string; timestamptz → Date; bool → boolean;
 * json, jsonb → the parsed value; bytea → Uint8Array; arrays → arrays of these. JavaScript arrays may be
 * bound to array parameters (`unnest($1::uuid[])`); long texts are cheaper as a `textArray`.
 */
export interface Sql {
  query<R extends object = Row>(
    text: string,
    values?: readonly unknown[],
    planned?: Planned,
  ): Promise<R[]>
}

/**
 * `each time`, the default, fits a plan to the values. `prepared` keeps it: for a statement that is always the same
 * text, runs all the time, and whose best plan is the same whatever the values are.
 */
export type Planned = 'each time' | 'prepared'

export interface Database extends Sql {
  readonly engine: 'embedded' | 'postgresql'
  /** For `new PrismaClient({ adapter })`. */
  readonly adapter: SqlDriverAdapterFactory
  /** BEGIN … COMMIT on one connection; rolled back when `work` rejects. `work` awaits nothing but its `sql`. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** A script of several statements without parameters, in one transaction. */
  script(text: string): Promise<void>
  /** The bell of a channel: LISTEN/NOTIFY on a server, in process when embedded. The same channel, the same bell. */
  bell(channel: string): Bell
  /** Resolves when the database answers within `ms`; else rejects with the reason. */
  check(ms: number): Promise<void>
  close(): Promise<void>
}
