/** What became of deliveries at dispatchers: one query for a whole page. */
import type { Sql } from '@pacifica/platform'

/** A change of a task, as its dispatcher told it. */
export interface TaskEventRow {
  readonly delivery: string
  readonly task: string
  readonly sequence: number
  readonly replay: number
  readonly dispatcher: string
  readonly state: string
  readonly status: string
  readonly attempt: number
  readonly exceptionType: string | null
  readonly exceptionValue: string | null
  readonly filesTaken: number
  readonly bytesTaken: number
  readonly bundles: readonly { readonly bundle: string | null; readonly jobId: number | null }[]
  readonly created: Date
  readonly started: Date | null
  readonly settled: Date | null
  readonly time: Date
}

/** A task as it is by its newest event, and the events in the order of what happened. */
export interface TaskHistory {
  readonly newest: TaskEventRow
  readonly events: readonly TaskEventRow[]
}

/** The newest events of a delivery that are shown. */
const MOST_EVENTS = 50

const eventsOf = `
  SELECT newest.* FROM unnest($1::uuid[]) AS wanted (delivery) CROSS JOIN LATERAL (
    SELECT t.delivery, t.task, t.sequence, t.replay, t.dispatcher, t.state, t.status, t.attempt,
      t.exception_type AS "exceptionType", t.exception_value AS "exceptionValue", t.files_taken AS "filesTaken",
      t.bytes_taken AS "bytesTaken", t.bundles, t.created, t.started, t.settled, t.time
    FROM task_event t WHERE t.delivery = wanted.delivery
    ORDER BY t.time DESC, t.sequence DESC LIMIT ${MOST_EVENTS}) newest
  ORDER BY newest.created, newest.task, newest.sequence`

/** Of each delivery the tasks, oldest first. */
export async function tasksOf(
  sql: Sql,
  deliveries: readonly string[],
): Promise<Map<string, TaskHistory[]>> {
  const rows = await sql.query<TaskEventRow>(eventsOf, [[...deliveries]])
  const byDelivery = new Map<string, TaskHistory[]>()
  for (const row of rows) {
    const tasks = byDelivery.get(row.delivery) ?? []
    byDelivery.set(row.delivery, tasks)
    const known = tasks.findIndex(({ newest }) => newest.task === row.task)
    if (known < 0) tasks.push({ newest: row, events: [row] })
    else tasks[known] = { newest: row, events: [...(tasks[known]?.events ?? []), row] }
  }
  return byDelivery
}
