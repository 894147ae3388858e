/**
 * When the kept plans of prepared statements (prepared.ts) are thrown away: when a table has come to twice as many rows,
 * and after a minute in any case. PostgreSQL plans by how large the tables are at that moment and by their statistics. Of
 * new statistics it learns by itself, but those of a queue are always late; a plan made for an empty table would read a
 * million rows from end to end until they come.
 */
import type pg from 'pg'

export interface PlanRenewalOptions {
  /** So often the tables are looked at, by the first prepared statement after it. */
  readonly lookMs: number
  /** Of what the look does not see: indexes, a session that another process uses too, behind a proxy. */
  readonly keepMs: number
}

const USUAL: PlanRenewalOptions = { lookMs: 5_000, keepMs: 60_000 }
/** So many rows are soon read from end to end: tables with fewer may grow as they like. */
const FEW = 1_000

// Counted by PostgreSQL as it writes, dead ones too, a second late at the most. Unlike a table's size in bytes they are read
// without a lock, so that nobody waits for who changes a table.
const ROWS = `
  SELECT relid::int8 AS id, n_live_tup + n_dead_tup AS rows FROM pg_stat_user_tables
  WHERE schemaname = ANY (current_schemas(false))`

interface Table {
  readonly id: number
  readonly rows: number
}

/** Called before each prepared statement, on its connection. */
export type RenewPlans = (client: pg.ClientBase) => Promise<void>

/** For the connections of one pool. */
export function planRenewal({ lookMs, keepMs } = USUAL): RenewPlans {
  let lookedAt = Number.NEGATIVE_INFINITY
  /** Of each table, the fewest rows since plans were last thrown away. */
  let fewest = new Map<number, number>()
  /** Grows when a table has. */
  let generation = 0
  const planned = new WeakMap<pg.ClientBase, { readonly generation: number; readonly at: number }>()

  async function look(client: pg.ClientBase): Promise<void> {
    const { rows: tables } = await client.query<Table>(ROWS)
    const before = fewest
    const hasGrown = ({ id, rows }: Table) => rows > Math.max(FEW, 2 * (before.get(id) ?? 0))
    const grown = tables.some(hasGrown)
    if (grown) generation += 1
    const fewestOf = ({ id, rows }: Table) =>
      grown ? rows : Math.min(rows, before.get(id) ?? rows)
    fewest = new Map(tables.map((table) => [table.id, fewestOf(table)]))
  }

  return async (client) => {
    const now = performance.now()
    if (now - lookedAt >= lookMs) {
      lookedAt = now
      await look(client)
    }
    const before = planned.get(client)
    if (before?.generation === generation && now - before.at < keepMs) return
    const renewed = { generation, at: now }
    if (before !== undefined) await client.query('DISCARD PLANS')
    planned.set(client, renewed)
  }
}
