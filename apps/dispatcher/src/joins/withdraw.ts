/** Cancelling a task whose event waits in a join: the event leaves it. */
import type { Database } from '@pacifica/platform'
import type { Failure } from '../tasks/task.ts'

/** The slot goes to another task of the same event, if there is one. */
const PASS_ON = `
UPDATE task_join_slot s SET task = other.id FROM task mine, task other
WHERE s.task = $1 AND mine.id = $1 AND other.id <> $1 AND other.joined = mine.joined AND other.state = 'joined'
  AND other.digest = mine.digest AND other.source = mine.source AND other.event_id = mine.event_id`

const WITHDRAW = `
UPDATE task SET state = 'cancelled', cancelled = now(), joined = NULL, progress = NULL, exception_type = $2,
  exception_value = $3, updated = now(), settled = now()
WHERE id = $1 AND state = 'joined' RETURNING id`

/** A join without events is cancelled. Undefined: the task does not wait in one. */
export function withdraw(
  database: Database,
  task: string,
  failure: Failure,
): Promise<'cancelled' | undefined> {
  return database.transaction(async (sql) => {
    const [join] = await sql.query<{ id: string }>(
      `SELECT j.id FROM task t JOIN task_join j ON j.id = t.joined
       WHERE t.id = $1 AND t.state = 'joined' AND j.state = 'open' FOR UPDATE OF j`,
      [task],
    )
    if (join === undefined) return undefined
    await sql.query(PASS_ON, [task])
    const gone = await sql.query(WITHDRAW, [task, failure.type, failure.value])
    if (gone.length === 0) return undefined
    await sql.query('DELETE FROM task_join_slot WHERE task = $1', [task])
    const left = await sql.query('SELECT FROM task_join_slot WHERE join_id = $1 LIMIT 1', [join.id])
    if (left.length === 0) {
      await sql.query(`UPDATE task_join SET state = 'cancelled', settled = now() WHERE id = $1`, [
        join.id,
      ])
    }
    return 'cancelled'
  })
}
