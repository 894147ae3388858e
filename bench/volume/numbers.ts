/** What the filling computes rows from: SQL functions in a schema of their own, dropped when it is done. */
import type { Sql } from '@pacifica/platform'

/** How much there is of everything. */
export interface Size {
  readonly events: number
  readonly subscriptions: number
  readonly users: number
  readonly tasks: number
  /** They have tasks of their own, besides those. */
  readonly joins: number
  readonly backtests: number
  /** Rows of the outbox, and messages among the dead. */
  readonly outbox: number
  readonly letters: number
}

/** A site with so many events: the rest in proportion, down to what shows a plan. */
export function sizeFor(events: number): Size {
  return {
    events,
    subscriptions: Math.max(100, Math.min(10_000, Math.round(events / 10))),
    users: 200,
    tasks: Math.max(100, Math.round(events / 4)),
    joins: Math.max(100, Math.round(events / 10)),
    backtests: Math.max(100, Math.min(5_000, Math.round(events / 100))),
    outbox: Math.max(50, Math.min(10_000, Math.round(events / 100))),
    letters: Math.max(50, Math.min(20_000, Math.round(events / 50))),
  }
}

/** How far back the events reach. */
export const DAYS = 90

// `part` is a number from 0 to 1 that looks random and is always the same. `owner_of` gives a tenth of all
// subscriptions to one user. `subscription_of` prefers low numbers: a few subscriptions get much, most get little.
const FUNCTIONS = [
  'CREATE SCHEMA IF NOT EXISTS bench',
  `CREATE OR REPLACE FUNCTION bench.part(n bigint, salt bigint) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
   $$ SELECT (hashint8extended(n, salt) & 4294967295)::float8 / 4294967296 $$`,
  `CREATE OR REPLACE FUNCTION bench.part(id uuid, salt bigint) RETURNS float8 IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
   $$ SELECT (uuid_hash_extended(id, salt) & 4294967295)::float8 / 4294967296 $$`,
  `CREATE OR REPLACE FUNCTION bench.id(kind text, n bigint) RETURNS uuid IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
   $$ SELECT md5(kind || n)::uuid $$`,
  `CREATE OR REPLACE FUNCTION bench.owner_of(s bigint, users int) RETURNS text IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
   $$ SELECT 'user ' || CASE WHEN s % 10 = 0 THEN 0 ELSE 1 + s % (users - 1) END $$`,
  `CREATE OR REPLACE FUNCTION bench.subscription_of(n bigint, k bigint, most int) RETURNS bigint
   IMMUTABLE PARALLEL SAFE LANGUAGE sql AS
   $$ SELECT (floor(most * power(bench.part(n, 1), 3))::bigint + (k - 1) * 11) % most $$`,
  `CREATE OR REPLACE FUNCTION bench.received(n bigint, most bigint) RETURNS timestamptz STABLE PARALLEL SAFE LANGUAGE sql AS
   $$ SELECT now() - (1 - n::float8 / most) * interval '${DAYS} days' $$`,
]

export async function addFunctions(sql: Sql): Promise<void> {
  for (const statement of FUNCTIONS) await sql.query(statement)
}

export async function dropFunctions(sql: Sql): Promise<void> {
  await sql.query('DROP SCHEMA IF EXISTS bench CASCADE')
}
