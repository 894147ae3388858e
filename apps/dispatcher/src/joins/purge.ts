/** Joins that ended long ago go when their own tasks are gone; after them the tasks of their events can go. */
import type { Database } from '@pacifica/platform'

/**
 * What somebody holds is left for the next time. Each lateral join is one look into an index: a NOT EXISTS may be planned
 * as a walk through both tables.
 */
const PURGE = `
WITH old AS (
  SELECT j.id FROM task_join j
  LEFT JOIN LATERAL (SELECT true AS yes FROM task t WHERE t.join_run = j.id LIMIT 1) runs ON true
  WHERE j.settled < now() - $1::float8 * interval '1 ms' AND j.state <> 'open' AND runs.yes IS NULL
  ORDER BY j.settled LIMIT $2 FOR UPDATE OF j SKIP LOCKED
)
DELETE FROM task_join j USING old WHERE j.id = old.id RETURNING j.id`

const BATCH = 500

/** Joins that ended longer than that ago. How many went. */
export async function purgeJoins(
  database: Database,
  { olderMs, signal }: { readonly olderMs: number; readonly signal: AbortSignal },
): Promise<number> {
  let purged = 0
  while (!signal.aborted) {
    const gone = await database.query(PURGE, [olderMs, BATCH])
    purged += gone.length
    if (gone.length < BATCH) break
  }
  return purged
}
