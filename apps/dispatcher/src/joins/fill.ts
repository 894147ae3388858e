/**
 * An event goes into its slot: the slot's row, the join's, and the tasks of its events are one transaction, so that a kill
 * leaves all as they were, or all done. Events of one name and key take turns. Locks: the task that is being run, then the
 * join, then the tasks that wait in it.
 */
import type { Database, Sql } from '@pacifica/platform'
import type { Held } from '../tasks/store.ts'
import type { Failure, TaskState } from '../tasks/task.ts'
import { type Decision, decide, type EventIdentity, type FilledSlot } from './decide.ts'
import { type JoinState, readFilled, runJoin } from './end.ts'
import * as failures from './failures.ts'

/** Where an event goes, and what the definition says of that join. */
export interface Place {
  readonly name: string
  readonly slot: string
  readonly key: string
  readonly slots: readonly string[]
  readonly deadlineMs: number
  readonly atDeadline: 'run' | 'fail'
  readonly onDuplicate: 'keep' | 'replace'
  readonly onLate: 'open' | 'refuse'
}

/** What became of an event that went to a join. */
export type Filled =
  /** Its task waits there, or is done when that was the last event; this is stored. */
  | {
      readonly kind: 'joined'
      readonly join: string
      readonly did: Decision['kind']
      readonly complete: boolean
    }
  /** Nothing is stored yet. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  | { readonly kind: 'cancelled' }
  /** The claim is no longer ours. */
  | { readonly kind: 'lost' }

const IN_TURN = `SELECT pg_advisory_xact_lock(hashtextextended('dispatcher.join ' || $1 || ' ' || $2, 0))`

interface OwnRow extends EventIdentity {
  readonly state: TaskState
  readonly joined: string | null
  readonly cancelled: boolean
}

const OWN = `
SELECT state, joined, cancelled IS NOT NULL AS cancelled, source, event_id AS "eventId", digest
FROM task WHERE id = $1 AND claim = $2 FOR UPDATE`

/**
 * Puts the event of a task that we hold into its slot, and ends our run of it. May be repeated: what this claim has done
 * already is not done twice.
 */
export function fillSlot(
  database: Database,
  held: Held,
  place: Place,
  newId: () => string,
): Promise<Filled> {
  return database.transaction(async (sql) => {
    await sql.query(IN_TURN, [place.name, place.key])
    const [own] = await sql.query<OwnRow>(OWN, [held.id, held.claim])
    if (own === undefined) return { kind: 'lost' }
    if (own.state !== 'running') {
      if (own.joined === null) return { kind: 'lost' }
      return { kind: 'joined', join: own.joined, did: 'again', complete: own.state === 'done' }
    }
    if (own.cancelled) return { kind: 'cancelled' }
    const open = await readOpen(sql, place)
    const last = place.onLate === 'refuse' ? await readLast(sql, place) : undefined
    const decision = decide({ ...place, ...own }, { open, last })
    return await carryOut(sql, held.id, place, decision, newId)
  })
}

async function carryOut(
  sql: Sql,
  task: string,
  place: Place,
  decision: Decision,
  newId: () => string,
): Promise<Filled> {
  const id = decision.kind === 'open' ? newId() : decision.join
  const join = { ...place, id }
  if (decision.kind === 'taken') {
    return { kind: 'refused', failure: failures.slotTaken(join, decision.held) }
  }
  if (decision.kind === 'late') {
    return { kind: 'refused', failure: failures.late(join, decision.state) }
  }
  if (decision.kind === 'open') await sql.query(OPEN, openValues(id, place))
  else
    await sql.query(`UPDATE task_join SET slots = $2::jsonb WHERE id = $1`, [id, slotsText(place)])
  if (decision.kind === 'replace') {
    await turnOut(sql, id, decision.held, failures.replaced(join, place.slot, task))
  }
  if (decision.kind !== 'again') await sql.query(FILL, [id, place.slot, task])
  await sql.query(WAIT, [task, id, waiting(place)])
  const complete = decision.kind !== 'open' && decision.complete
  if (complete) await runJoin(sql, join, 'complete', newId())
  return { kind: 'joined', join: id, did: decision.kind, complete }
}

async function readOpen(sql: Sql, { name, key }: Place) {
  const [open] = await sql.query<{ id: string }>(
    `SELECT id FROM task_join WHERE name = $1 AND key = $2 AND state = 'open' FOR UPDATE`,
    [name, key],
  )
  return open && { id: open.id, filled: await readFilled(sql, open.id) }
}

async function readLast(sql: Sql, { name, key }: Place) {
  const [last] = await sql.query<{ id: string; state: JoinState }>(
    `SELECT id, state FROM task_join WHERE name = $1 AND key = $2 AND state <> 'open' ORDER BY seq DESC LIMIT 1`,
    [name, key],
  )
  return last
}

const OPEN = `
INSERT INTO task_join (id, name, key, slots, at_deadline, deadline)
VALUES ($1, $2, $3, $4::jsonb, $5, now() + $6 * interval '1 ms')`

function openValues(id: string, place: Place): unknown[] {
  const { name, key, atDeadline, deadlineMs } = place
  return [id, name, key, slotsText(place), atDeadline, deadlineMs]
}

const FILL = `
INSERT INTO task_join_slot (join_id, slot, task) VALUES ($1, $2, $3)
ON CONFLICT (join_id, slot) DO UPDATE SET task = excluded.task, created = now()`

const WAIT = `
UPDATE task
SET state = 'joined', joined = $2, progress = $3::jsonb, process = NULL, updated = now(), settled = NULL,
    exception_type = NULL, exception_value = NULL, exception_traceback = ''
WHERE id = $1`

/** The events that had the slot, each as often as it came. */
const TURN_OUT = `
UPDATE task t SET state = 'unrouted', joined = NULL, exception_type = $3, exception_value = $4, progress = NULL,
  updated = now(), settled = now()
FROM task held WHERE held.id = $2 AND t.joined = $1 AND t.state = 'joined'
  AND t.digest = held.digest AND t.source = held.source AND t.event_id = held.event_id`

async function turnOut(sql: Sql, join: string, held: FilledSlot, failure: Failure): Promise<void> {
  await sql.query(TURN_OUT, [join, held.task, failure.type, failure.value])
}

function slotsText({ slots }: Place): string {
  return JSON.stringify(slots)
}

/** Shown as the task's progress. */
function waiting({ name }: Place): string {
  return JSON.stringify({ step: `waits in the join ${name}` })
}
