/**
 * When the kept plans of prepared statements (prepared.ts) are thrown away: when a table has grown to more than twice its
 * size. PostgreSQL plans by how large the tables are at that moment and by their statistics. Of new statistics it learns
 * by itself, but those of a queue are always late; a plan made for an empty table would read a million rows from end to
 * end until they come.
 */
import type pg from 'pg'

/** So often the sizes are looked at, by the first prepared statement after it. */
const LOOK_MS = 5_000
/** To read as many bytes from end to end costs nothing: tables below that may grow as they like. */
const SMALL = 20 * 8192

// https://www.postgresql.org/docs/15/functions-admin.html#FUNCTIONS-ADMIN-DBSIZE; null for a table that is being dropped
const SIZES = `
  SELECT oid::int8 AS id, pg_relation_size(oid) AS bytes FROM pg_class
  WHERE relkind = 'r' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())`

interface Size {
  readonly id: number
  readonly bytes: number | null
}

/** Called before each prepared statement, on its connection. */
export type RenewPlans = (client: pg.ClientBase) => Promise<void>

/** For the connections of one pool. */
export function planRenewal(lookMs = LOOK_MS): RenewPlans {
  let lookedAt = Number.NEGATIVE_INFINITY
  let sizes = new Map<number, number>()
  /** Grows when tables have. */
  let generation = 0
  const plannedIn = new WeakMap<pg.ClientBase, number>()

  async function look(client: pg.ClientBase): Promise<void> {
    const { rows } = await client.query<Size>(SIZES)
    const hasGrown = ({ id, bytes }: Size) =>
      (bytes ?? 0) > Math.max(SMALL, 2 * (sizes.get(id) ?? 0))
    if (!rows.some(hasGrown)) return
    sizes = new Map(rows.map(({ id, bytes }) => [id, bytes ?? 0]))
    generation += 1
  }

  return async (client) => {
    const now = performance.now()
    if (now - lookedAt >= lookMs) {
      lookedAt = now
      await look(client)
    }
    const before = plannedIn.get(client)
    if (before === generation) return
    plannedIn.set(client, generation)
    if (before !== undefined) await client.query('DISCARD PLANS')
  }
}
