/**
 * What a server does in the background, the embedded engine does not: checkpoints, vacuum, statistics. The engine
 * runs in this process, so a long VACUUM would stop everything; ours come early and are therefore short.
 */
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Row, Sql } from '../database.ts'

export interface TableState {
  readonly table: string
  readonly rows: number
  readonly dead: number
  readonly insertedSinceVacuum: number
  readonly changedSinceAnalyze: number
}

export interface HousekeepingPolicy {
  /** A look at the tables this often. */
  readonly everyMs: number
  /** VACUUM after so many dead or new rows: small, for its time grows with them. */
  readonly vacuumRows: number
  /** ANALYZE after so many changed rows, and this share of the table. */
  readonly analyzeRows: number
  readonly analyzeShare: number
  /** CHECKPOINT after so much write-ahead log: the next start replays no more than that. */
  readonly checkpointBytes: number
  /** After a step as long as 1 the engine is left alone for as long as this. */
  readonly rest: number
}

export const HOUSEKEEPING: HousekeepingPolicy = {
  everyMs: 1_000,
  vacuumRows: 5_000,
  analyzeRows: 500,
  analyzeShare: 0.1,
  checkpointBytes: 16 * 1024 * 1024,
  rest: 4,
}

/** What is due, one short statement each. */
export function due(tables: readonly TableState[], policy: HousekeepingPolicy): string[] {
  return tables.flatMap((state) => {
    const { table, rows, dead, insertedSinceVacuum, changedSinceAnalyze } = state
    const vacuum = dead + insertedSinceVacuum >= policy.vacuumRows
    const analyze = changedSinceAnalyze >= policy.analyzeRows + policy.analyzeShare * rows
    return [
      ...(vacuum ? [`VACUUM (TRUNCATE false) ${table}`] : []),
      ...(analyze ? [`ANALYZE ${table}`] : []),
    ]
  })
}

const TABLES = `
  SELECT format('%I.%I', schemaname, relname) AS "table", n_live_tup AS rows, n_dead_tup AS dead,
    n_ins_since_vacuum AS "insertedSinceVacuum", n_mod_since_analyze AS "changedSinceAnalyze"
  FROM pg_stat_user_tables ORDER BY relid`

/** Write-ahead log since the last checkpoint, in bytes. */
const UNCHECKED = `
  SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn)::int8 AS bytes FROM pg_control_checkpoint()`

/** One round. Each statement is one turn of the engine's only session, with a rest after it. */
export async function keepHouse(
  { sql }: { sql: Sql },
  policy: HousekeepingPolicy,
  signal: AbortSignal,
): Promise<string[]> {
  const done: string[] = []
  const step = async (statement: string) => {
    if (signal.aborted) return
    const start = performance.now()
    await sql.query(statement)
    done.push(statement)
    await sleep((performance.now() - start) * policy.rest, signal)
  }
  await sql.query('SELECT pg_stat_force_next_flush()')
  for (const statement of due(await sql.query<TableState & Row>(TABLES), policy))
    await step(statement)
  const [log] = await sql.query<{ bytes: number }>(UNCHECKED)
  if (log && log.bytes >= policy.checkpointBytes) await step('CHECKPOINT')
  return done
}

/** Rounds until `signal`. A round that fails is logged; the next one tries again. */
export async function housekeeping(
  needs: { log: Log; sql: Sql },
  policy: HousekeepingPolicy,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(policy.everyMs, signal)
    if (signal.aborted) return
    try {
      const start = performance.now()
      const done = await keepHouse(needs, policy, signal)
      const ms = Math.round(performance.now() - start)
      if (done.length > 0) needs.log.debug({ done, ms }, 'database.kept_house')
    } catch (error) {
      needs.log.warn({ error }, 'database.housekeeping_failed')
    }
  }
}
