/** RETENTION for dead letters: those that were taken from the broker before a time go, decided about or not. */
import type { Sql } from '@pacifica/platform'

const BATCH = 200

const PURGE = `
  DELETE FROM dead_letter WHERE uuid IN (
    SELECT uuid FROM dead_letter
    WHERE created < $1 AND (sending_until IS NULL OR sending_until < now())
    ORDER BY created LIMIT ${BATCH} FOR UPDATE SKIP LOCKED)
  RETURNING state`

export interface PurgedLetters {
  readonly purged: number
  /** Of these, about so many nobody had decided. */
  readonly undecided: number
}

export async function purgeLetters(
  sql: Sql,
  { before, signal }: { before: Date; signal: AbortSignal },
): Promise<PurgedLetters> {
  let [purged, undecided] = [0, 0]
  while (!signal.aborted) {
    const gone = await sql.query<{ state: string }>(PURGE, [before])
    purged += gone.length
    undecided += gone.filter(({ state }) => state === 'dead').length
    if (gone.length < BATCH) break
  }
  return { purged, undecided }
}
