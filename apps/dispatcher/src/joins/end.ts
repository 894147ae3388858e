/** How joins end: their task is made, or their events come to nothing. All of it in the transaction of whoever asks. */
import type { Database, Sql } from '@pacifica/platform'
import type { Failure, TaskState } from '../tasks/task.ts'
import { type FilledSlot, inOrder, missingOf } from './decide.ts'
import * as failures from './failures.ts'
import { joinEvent } from './join-event.ts'

export type JoinState = 'open' | 'complete' | 'expired' | 'failed' | 'cancelled'

interface FilledRow extends FilledSlot {
  readonly size: number
  readonly trace: string | null
}

export function readFilled(sql: Sql, join: string): Promise<FilledRow[]> {
  return sql.query<FilledRow>(
    `SELECT s.slot, s.task, t.source, t.event_id AS "eventId", t.digest, t.size, t.trace
     FROM task_join_slot s JOIN task t ON t.id = s.task WHERE s.join_id = $1 ORDER BY s.created, s.slot`,
    [join],
  )
}

const ADD_TASK = `
INSERT INTO task (id, kind, join_run, digest, source, event_id, event, trace, size)
VALUES ($1, 'join', $2, $3, $4, $5, $6, $7, $8)`

/** Makes the task that runs on the join's events, and ends those that brought them. */
export async function runJoin(
  sql: Sql,
  join: failures.NamedJoin & { readonly slots: readonly string[] },
  state: 'complete' | 'expired',
  taskId: string,
): Promise<void> {
  const filled = await readFilled(sql, join.id)
  const missing = missingOf(
    join.slots,
    filled.map(({ slot }) => slot),
  )
  const event = joinEvent(join, inOrder(join.slots, filled), missing)
  const size = Math.min(
    filled.reduce((sum, slot) => sum + slot.size, 0),
    Number.MAX_SAFE_INTEGER,
  )
  const trace = filled.at(-1)?.trace ?? null
  const { digest, source, id: eventId, text } = event
  const done = { state: 'done', failure: undefined, progress: gone(join.name) } as const
  // These first: who brought an event is told of the join's task because of where it went.
  await endJoin(sql, join.id, state, done)
  await sql.query(ADD_TASK, [taskId, join.id, digest, source, eventId, text, trace, size])
}

const END_TASKS = `
UPDATE task SET state = $2, exception_type = $3, exception_value = $4, progress = $5::jsonb,
  updated = now(), settled = now()
WHERE joined = $1 AND state = 'joined'`

async function endJoin(
  sql: Sql,
  join: string,
  state: JoinState,
  tasks: {
    readonly state: TaskState
    readonly failure: Failure | undefined
    readonly progress: string | null
  },
): Promise<void> {
  await sql.query(`UPDATE task_join SET state = $2, settled = now() WHERE id = $1`, [join, state])
  const { state: taskState, failure, progress } = tasks
  const values = [join, taskState, failure?.type ?? null, failure?.value ?? null, progress]
  await sql.query(END_TASKS, values)
}

/** Shown as the progress of the tasks whose events it has. */
function gone(name: string): string {
  return JSON.stringify({ step: `gone into the join ${name}` })
}

interface OpenRow extends failures.NamedJoin {
  readonly slots: readonly string[]
  readonly atDeadline: 'run' | 'fail'
  readonly deadline: Date
}

const COLUMNS = `id, name, key, slots, at_deadline AS "atDeadline", deadline`

/** A join that the definition no longer has is left as it is. */
const DUE = `
SELECT ${COLUMNS} FROM task_join
WHERE state = 'open' AND deadline <= now() AND name = ANY($1::text[])
ORDER BY deadline LIMIT 1
FOR UPDATE SKIP LOCKED`

/**
/**
 * An event that came in before the deadline counts, also when nobody has begun it yet, or who has is on the way to its slot
 * with it, or was killed there: so a deadline is over when nothing that came in before it may still be for the join. What
 * has a handler's process, or was put back by a handler, is not. Of those that wait only the first is looked at, by an index
 * of their own (task_waiting_created_idx); those that run are few, and OFFSET 0 keeps the planner to them: by the time they
 * came in, it would read all that ever came.
 */
const BEFORE_DEADLINE = `
SELECT FROM (
  (SELECT created FROM task WHERE state = 'waiting' AND kind IN ('event', 'retry') AND join_run IS NULL
   ORDER BY created LIMIT 1)
  UNION ALL
  (SELECT created FROM task WHERE state = 'running' AND process IS NULL AND retries = 0
     AND kind IN ('event', 'retry') AND join_run IS NULL OFFSET 0)
) early
WHERE created <= (SELECT deadline FROM task_join WHERE id = $1) LIMIT 1`

/** Does what is to be done at the deadline of one join that is past it. Undefined: there is none. */
export function endDue(
  database: Database,
  names: readonly string[],
  newId: () => string,
): Promise<
  { readonly join: failures.NamedJoin; readonly state: 'expired' | 'failed' } | undefined
> {
  return database.transaction(async (sql) => {
    const [join] = await sql.query<OpenRow>(DUE, [[...names]])
    if (join === undefined) return undefined
    if ((await sql.query(BEFORE_DEADLINE, [join.id])).length > 0) return undefined
    if (join.atDeadline === 'run') {
      await runJoin(sql, join, 'expired', newId())
      return { join, state: 'expired' }
    }
    const filled = await readFilled(sql, join.id)
    const there = filled.map(({ slot }) => slot)
    const failure = failures.incomplete(join, missingOf(join.slots, there), join.deadline)
    await endJoin(sql, join.id, 'failed', { state: 'unrouted', failure, progress: null })
    return { join, state: 'failed' }
  })
}

/** Milliseconds until the next deadline, below zero when it is past; undefined without one. */
export async function nextDeadline(
  sql: Sql,
  names: readonly string[],
): Promise<number | undefined> {
  const [row] = await sql.query<{ ms: number | null }>(
    `SELECT (extract(epoch FROM min(deadline) - now()) * 1000)::float8 AS ms FROM task_join
     WHERE state = 'open' AND name = ANY($1::text[])`,
    [[...names]],
  )
  return row?.ms ?? undefined
}

/** False: it is not open. */
export function cancelJoin(database: Database, id: string): Promise<boolean> {
  return database.transaction(async (sql) => {
    const [join] = await sql.query<OpenRow>(
      `SELECT ${COLUMNS} FROM task_join WHERE id = $1 AND state = 'open' FOR UPDATE`,
      [id],
    )
    if (join === undefined) return false
    const failure = failures.joinCancelled(join)
    await endJoin(sql, id, 'cancelled', { state: 'cancelled', failure, progress: null })
    return true
  })
}
