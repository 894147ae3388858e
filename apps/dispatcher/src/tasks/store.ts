/**
 * The task table, one statement to a function. The table is the queue; all times are the database's.
 *
 * A claim is a lease: `due` says until when, `claim` is the fencing token. Whoever holds an older token than the row
 * changes nothing.
 */
import type { Database, Sql } from '@pacifica/platform'
import type { ProcessRecord } from '../isolation/process-tree.ts'
import type { TaskKind } from './repeat.ts'
import type { Settlement } from './task.ts'

/** An event that came in, on its way to become a task, or to join one. */
export interface Arrival {
  /** The id of the task, if it becomes a new one. */
  readonly id: string
  /** The delivery that brought it; undefined: POST /receive, which counts as a first delivery without a name. */
  readonly delivery: { readonly id: string; readonly replay: number } | undefined
  /** SHA-256, hex, of the event before the subscription's extensions were merged in. */
  readonly digest: string
  readonly source: string
  readonly eventId: string
  readonly event: string
  readonly trace: string | undefined
  /** Bytes of the event's files together; nothing unless given. */
  readonly size?: number
}

export interface Accepted {
  readonly taskId: string
  /** False when the event, or this very delivery, already has a task. */
  readonly isNew: boolean
}

/** A task that somebody may change: the newest claim on it is theirs. */
export interface Held {
  readonly id: string
  readonly claim: number
}

export interface ClaimedTask extends Held {
  /** How often it has been begun without an end, this time included. */
  readonly attempts: number
  /** How often it was put back because of an error that may pass. */
  readonly retries: number
  /** Somebody asked for it to be cancelled before it could be begun. */
  readonly cancelled: boolean
  /** Where the run before this one had its handler, if that did not come to an end. */
  readonly process: ProcessRecord | null
  /** The event as it came in: JSON text. */
  readonly event: string
  readonly trace: string | null
  readonly kind: TaskKind
  /** Of a retry or a dry run: the task that it repeats. */
  readonly repeats: string | null
  /** Bytes of the event's files together. */
  readonly size: number
  /** The join whose events it runs on. */
  readonly joinRun: string | null
}

export interface ClaimOptions {
  readonly limit: number
  readonly leaseMs: number
  readonly maxStarts: number
  /** Who claims, for people. */
  readonly worker: string
  /** What this worker holds already: never claimed from oneself, even when a lease ran out unnoticed. */
  readonly except: readonly string[]
  /** How many bytes of files may come into hand, and how many one task may have: without it, any number. */
  readonly room?: { readonly bytes: number; readonly most: number } | undefined
}

/** Puts all arrivals of one event in a row, so that `ACCEPT` sees the ones before it. Held to the commit. */
export const IN_TURN = `SELECT pg_advisory_xact_lock(hashtextextended('dispatcher.task ' || $1, 0))`

/**
 * The rule of doing things once, whole:
 * 1. A (delivery, replay) that was taken in before keeps its task, whatever became of it.
 * 2. Else a first delivery (replay 0, or none at all: POST /receive) joins the newest task of the same event (source,
 *    id, digest) that waits (also for other events), runs or has succeeded.
 * 3. Else, so for an explicit replay and when every earlier task of the event failed, it is a new task.
 */
const ACCEPT = `
WITH arrival AS (
  SELECT $1::uuid AS id, $2::uuid AS delivery, $3::int AS replay, $4::text AS digest, $5::text AS source,
         $6::text AS event_id, $7::text AS event, $8::text AS trace, $9::bigint AS size
), known AS (
  SELECT d.task AS id FROM task_delivery d JOIN arrival a ON d.delivery = a.delivery AND d.replay = a.replay
), joined AS (
  SELECT t.id FROM task t JOIN arrival a ON t.digest = a.digest AND t.source = a.source AND t.event_id = a.event_id
  WHERE a.replay = 0 AND t.state IN ('waiting', 'running', 'retrying', 'joined', 'done') AND t.deleted IS NULL
    AND t.kind <> 'dry-run' AND NOT EXISTS (SELECT FROM known)
  ORDER BY t.seq DESC LIMIT 1
), added AS (
  INSERT INTO task (id, digest, source, event_id, event, trace, size)
  SELECT id, digest, source, event_id, event, trace, size FROM arrival
  WHERE NOT EXISTS (SELECT FROM known) AND NOT EXISTS (SELECT FROM joined)
  RETURNING id
), chosen AS (
  SELECT id, false AS is_new FROM known
  UNION ALL SELECT id, false FROM joined
  UNION ALL SELECT id, true FROM added
), noted AS (
  INSERT INTO task_delivery (delivery, replay, task)
  SELECT a.delivery, a.replay, c.id FROM arrival a CROSS JOIN chosen c
  WHERE a.delivery IS NOT NULL AND NOT EXISTS (SELECT FROM known)
)
SELECT id, is_new FROM chosen`

/** Commits the arrival as a task of its own, or finds the task that it belongs to. */
export function acceptTask(database: Database, arrival: Arrival): Promise<Accepted> {
  const { id, delivery, digest, source, eventId, event, trace, size = 0 } = arrival
  return database.transaction(async (sql) => {
    await sql.query(IN_TURN, [digest])
    const values = [id, delivery?.id ?? null, delivery?.replay ?? 0, digest, source, eventId]
    const rows = await sql.query<{ id: string; is_new: boolean }>(ACCEPT, [
      ...values,
      event,
      trace ?? null,
      size,
    ])
    const chosen = rows[0]
    if (chosen === undefined) throw new Error('accepting an event gave no task')
    return { taskId: chosen.id, isNew: chosen.is_new }
  })
}

/**
 * In the order in which they are due: one that does not fit waits for room, and those behind it with it, so that small
 * ones do not keep it waiting for ever. One that would never fit is claimed, to say so.
 */
const CLAIM = `
WITH due AS (
  SELECT id, due, seq, size FROM task
  WHERE state IN ('waiting', 'running', 'retrying') AND due <= now() AND attempts < $3 AND NOT (id = ANY($5::uuid[]))
  ORDER BY due, seq LIMIT $1
  FOR UPDATE SKIP LOCKED
), placed AS (
  SELECT id, size, sum(CASE WHEN size > $7::bigint THEN 0 ELSE size END) OVER (ORDER BY due, seq) AS upto FROM due
), fitting AS (
  SELECT id FROM placed WHERE $7::bigint IS NULL OR size > $7::bigint OR upto <= $6::bigint
)
UPDATE task t
SET state = 'running', claim = t.claim + 1, attempts = t.attempts + 1, due = now() + $2 * interval '1 ms',
    worker = $4, started = coalesce(t.started, now()), updated = now(),
    files_taken = 0, bytes_taken = 0, progress = NULL
FROM fitting WHERE t.id = fitting.id
RETURNING t.id, t.claim, t.attempts, t.retries, t.event, t.trace, t.process, t.kind, t.repeats, t.size,
  t.join_run AS "joinRun",  t.cancelled IS NOT NULL AS cancelled`

/** Takes up to `limit` tasks that wait, or whose holder let the lease run out; oldest first. */
export function claimTasks(sql: Sql, options: ClaimOptions): Promise<ClaimedTask[]> {
  const { limit, leaseMs, maxStarts, worker, except, room } = options
  const values = [limit, leaseMs, maxStarts, worker, [...except]]
  return sql.query<ClaimedTask>(CLAIM, [...values, room?.bytes ?? null, room?.most ?? null])
}

const ABANDON = `
WITH dead AS (
  SELECT id FROM task
  WHERE state = 'running' AND due <= now() AND attempts >= $1 AND NOT (id = ANY($2::uuid[]))
  FOR UPDATE SKIP LOCKED
)
UPDATE task t
SET state = $3, claim = t.claim + 1, exception_type = $4, exception_value = $5, exception_traceback = $6,
    updated = now(), settled = now()
FROM dead WHERE t.id = dead.id
RETURNING t.id`

/** Ends the tasks that were begun `maxStarts` times and whose last holder is gone too. Gives their ids. */
export async function abandonTasks(
  sql: Sql,
  options: { maxStarts: number; except: readonly string[] },
  settlement: Settlement,
): Promise<string[]> {
  const { state, failure } = settlement
  const values = [options.maxStarts, [...options.except], state]
  const rows = await sql.query<{ id: string }>(ABANDON, [...values, ...failureColumns(failure)])
  return rows.map((row) => row.id)
}

/**
 * It waits for no lock: whose row another transaction holds keeps its lease until the next heartbeat. Waiting here for one
 * row with the locks of others would be a circle with an event that completes its join (joins/fill.ts).
 */
const RENEW = `
WITH held AS (
  SELECT * FROM unnest($1::uuid[], $2::int[]) AS held(id, claim)
), free AS (
  SELECT t.id FROM task t JOIN held ON t.id = held.id AND t.claim = held.claim
  WHERE t.state = 'running' FOR NO KEY UPDATE OF t SKIP LOCKED
), renewed AS (
  UPDATE task t SET due = now() + $3 * interval '1 ms' FROM free WHERE t.id = free.id
)
SELECT t.id FROM task t JOIN held ON t.id = held.id AND t.claim = held.claim WHERE t.state = 'running'`

/** The heartbeat: lengthens the leases that are still ours, and gives their ids. What is missing is lost. */
export async function renewLeases(
  sql: Sql,
  held: readonly Held[],
  leaseMs: number,
): Promise<Set<string>> {
  const ids = held.map((task) => task.id)
  const claims = held.map((task) => task.claim)
  const rows = await sql.query<{ id: string }>(RENEW, [ids, claims, leaseMs])
  return new Set(rows.map((row) => row.id))
}

/**
 * May be repeated: what this claim has already stored is stored again, unchanged. One that somebody wants to be
 * cancelled is due at once: whoever claims it will end it.
 */
const RECORD = `
UPDATE task
SET state = $3, exception_type = $4, exception_value = $5, exception_traceback = $6,
    attempts = attempts - CASE WHEN state = 'running' THEN $7::int ELSE 0 END,
    retries = retries + CASE WHEN state = 'running' THEN $8::int ELSE 0 END,
    due = CASE WHEN state <> 'running' THEN due WHEN cancelled IS NOT NULL THEN now()
          ELSE now() + $9 * interval '1 ms' END,
    updated = now(), settled = CASE WHEN $3 IN ('waiting', 'retrying') THEN NULL ELSE now() END,
    process = NULL, progress = CASE WHEN $3 IN ('waiting', 'retrying') THEN NULL ELSE progress END
WHERE id = $1 AND claim = $2 AND state IN ('running', $3)
RETURNING id`

/** Stores how the task ended, or that it waits again. False: the claim is no longer ours, nothing was changed. */
export async function recordResult(sql: Sql, held: Held, settlement: Settlement): Promise<boolean> {
  const { state, failure, again } = settlement
  // A start is given back for whatever did not come to a sudden end.
  const givenBack = again !== undefined && again.costs !== 'a start' ? 1 : 0
  const retries = again?.costs === 'a retry' ? 1 : 0
  const values = [held.id, held.claim, state, ...failureColumns(failure)]
  const rows = await sql.query(RECORD, [...values, givenBack, retries, again?.afterMs ?? 0])
  return rows.length > 0
}

const NOTE_TAKEN = `
UPDATE task SET files_taken = files_taken + $3, bytes_taken = bytes_taken + $4, updated = now()
WHERE id = $1 AND claim = $2 AND state = 'running'`

/** Adds to what the task's downloads have brought. */
export async function noteTaken(
  sql: Sql,
  held: Held,
  taken: { readonly files: number; readonly bytes: number },
): Promise<void> {
  await sql.query(NOTE_TAKEN, [held.id, held.claim, taken.files, taken.bytes])
}

/** Where the run's handler is: whoever takes the task up again ends that first. False: the claim is no longer ours. */
export async function noteProcess(sql: Sql, held: Held, record: ProcessRecord): Promise<boolean> {
  const rows = await sql.query(
    `UPDATE task SET process = $3::jsonb WHERE id = $1 AND claim = $2 AND state = 'running' RETURNING id`,
    [held.id, held.claim, JSON.stringify(record)],
  )
  return rows.length > 0
}

/** How far the run is, for people. */
export async function noteProgress(sql: Sql, held: Held, progress: object): Promise<void> {
  await sql.query(
    `UPDATE task SET progress = $3::jsonb, updated = now() WHERE id = $1 AND claim = $2 AND state = 'running'`,
    [held.id, held.claim, JSON.stringify(progress)],
  )
}

/** How a dry run's result differs. False: the claim is no longer ours. */
export async function noteComparison(sql: Sql, held: Held, found: object): Promise<boolean> {
  const rows = await sql.query(
    `UPDATE task SET comparison = $3::jsonb, updated = now() WHERE id = $1 AND claim = $2 AND state = 'running'
     RETURNING id`,
    [held.id, held.claim, JSON.stringify(found)],
  )
  return rows.length > 0
}

/** The runs that are going on, as far as anybody knows. */
export function runningTasks(sql: Sql): Promise<Held[]> {
  return sql.query<Held>(`SELECT id, claim FROM task WHERE state = 'running'`)
}

/**
 * Ends every lease at once. Only for a database that no other process can have open (the embedded one, under its
 * lock): what runs there when we start was run by a process that is dead.
 */
export async function releaseOrphans(sql: Sql): Promise<number> {
  const rows = await sql.query(
    `UPDATE task SET due = now() WHERE state = 'running' AND due > now() RETURNING id`,
  )
  return rows.length
}

const BACKLOG = `
SELECT (count(*) FILTER (WHERE state = 'waiting'))::int AS waiting,
       (count(*) FILTER (WHERE state = 'retrying'))::int AS retrying,
       (count(*) FILTER (WHERE state = 'running'))::int AS running,
       coalesce(extract(epoch FROM now() - min(created) FILTER (WHERE state = 'waiting')), 0)::float8 AS oldest
FROM task WHERE state IN ('waiting', 'running', 'retrying')`

export interface Backlog {
  readonly waiting: number
  readonly running: number
  readonly retrying: number
  /** Seconds since the oldest waiting task came in. */
  readonly oldest: number
}

/** How much there is to do, over all workers. */
export async function readBacklog(sql: Sql): Promise<Backlog> {
  const rows = await sql.query<Backlog>(BACKLOG)
  return rows[0] ?? { waiting: 0, running: 0, retrying: 0, oldest: 0 }
}

function failureColumns(failure: Settlement['failure']): (string | null)[] {
  return [failure?.type ?? null, failure?.value ?? null, failure?.traceback ?? '']
}
