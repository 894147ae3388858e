/** Cancelling: what nobody has begun ends at once; who runs it is told, at the next heartbeat or by the bell. */
import type { Sql } from '@pacifica/platform'
import { CANCELLED, type TaskState } from './task.ts'

const CANCEL = `
UPDATE task
SET cancelled = coalesce(cancelled, now()), updated = now(),
    state = CASE WHEN state = 'running' THEN state ELSE 'cancelled' END,
    settled = CASE WHEN state = 'running' THEN settled ELSE now() END,
    exception_type = CASE WHEN state = 'running' THEN exception_type ELSE $2 END,
    exception_value = CASE WHEN state = 'running' THEN exception_value ELSE $3 END,
    exception_traceback = CASE WHEN state = 'running' THEN exception_traceback ELSE '' END
WHERE id = $1 AND deleted IS NULL AND state IN ('waiting', 'retrying', 'running')
RETURNING state`

/** The state that the task is in now: `cancelled`, or `running` while its handler ends. Undefined: it has ended before. */
export async function cancelTask(sql: Sql, id: string): Promise<TaskState | undefined> {
  const rows = await sql.query<{ state: TaskState }>(CANCEL, [id, CANCELLED.type, CANCELLED.value])
  return rows[0]?.state
}

/** Which of these tasks somebody wants to end. */
export async function cancelledAmong(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  const rows = await sql.query<{ id: string }>(
    'SELECT id FROM task WHERE id = ANY($1::uuid[]) AND cancelled IS NOT NULL',
    [[...ids]],
  )
  return new Set(rows.map((row) => row.id))
}
