/** Joins that ended long ago go when their own tasks are gone; after them the tasks of their events can go. */
import type { Database } from '@pacifica/platform'

/** What somebody holds is left for the next time. */
const PURGE = `
WITH old AS (
  SELECT id FROM task_join WHERE settled < now() - $1::float8 * interval '1 ms' AND state <> 'open'
    AND NOT EXISTS (SELECT FROM task t WHERE t.join_run = task_join.id)
  ORDER BY settled LIMIT $2 FOR UPDATE SKIP LOCKED
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
