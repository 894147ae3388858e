/**
 * Tasks that repeat another one: a retry, which takes a failed task's place, and a dry run, which uploads nothing. Both
 * are tasks of their own, so that what became of the first stays to be read.
 */
import type { Database, Sql } from '@pacifica/platform'
import type { EarlierUpload } from './compare.ts'
import { type Accepted, IN_TURN } from './store.ts'
import type { TaskState } from './task.ts'

/** `event`: an event came in; `join`: several came together. */
export type TaskKind = 'event' | 'retry' | 'dry-run' | 'join'

/** Of a task in one of these there is something to retry. */
export const RETRIED_STATES = ['failed', 'timed-out', 'cancelled', 'unrouted'] as const

/**
 * A later task of the same event that waits, runs or has succeeded is the answer already. Else a new one is added, and
 * the deliveries of the first come along: whoever waits for them is told of the new one.
 */
const RETRY = `
WITH first AS (
  SELECT id, seq, digest, source, event_id, event, trace, size, join_run FROM task
  WHERE id = $1 AND state = ANY($3::text[]) AND kind <> 'dry-run' AND deleted IS NULL
  FOR UPDATE
), known AS (
  SELECT t.id FROM task t JOIN first f ON t.digest = f.digest AND t.source = f.source AND t.event_id = f.event_id
  WHERE t.seq > f.seq AND t.kind <> 'dry-run' AND t.deleted IS NULL
    AND t.state IN ('waiting', 'running', 'retrying', 'joined', 'done')
  ORDER BY t.seq DESC LIMIT 1
), added AS (
  INSERT INTO task (id, kind, repeats, digest, source, event_id, event, trace, size, join_run)
  SELECT $2, 'retry', id, digest, source, event_id, event, trace, size, join_run FROM first
  WHERE NOT EXISTS (SELECT FROM known)
  RETURNING id
), moved AS (
  UPDATE task_delivery d SET task = added.id FROM added WHERE d.task = $1
)
SELECT id, true AS is_new FROM added UNION ALL SELECT id, false FROM known`

/** Undefined: there is no such task, or nothing about it to retry. */
export function retryTask(
  database: Database,
  id: string,
  newId: string,
): Promise<Accepted | undefined> {
  return database.transaction(async (sql) => {
    const [found] = await sql.query<{ digest: string }>('SELECT digest FROM task WHERE id = $1', [
      id,
    ])
    if (found === undefined) return undefined
    await sql.query(IN_TURN, [found.digest])
    const values = [id, newId, [...RETRIED_STATES]]
    const [chosen] = await sql.query<{ id: string; is_new: boolean }>(RETRY, values)
    return chosen && { taskId: chosen.id, isNew: chosen.is_new }
  })
}

/** A dry run of a dry run is one of the task that this one repeats. */
const DRY_RUN = `
INSERT INTO task (id, kind, repeats, digest, source, event_id, event, trace, size, join_run)
SELECT $2, 'dry-run', CASE WHEN kind = 'dry-run' THEN repeats ELSE id END, digest, source, event_id, event, trace, size,
  join_run
FROM task WHERE id = $1 AND deleted IS NULL
RETURNING id`

/** False: there is no such task. */
export async function addDryRun(sql: Sql, id: string, newId: string): Promise<boolean> {
  const rows = await sql.query(DRY_RUN, [id, newId])
  return rows.length > 0
}

/** The task itself, if it has uploaded anything; else the newest of the same event that has. */
const LAST_UPLOADS = `
WITH wanted AS (
  SELECT digest, source, event_id FROM task WHERE id = $1
), last AS (
  SELECT t.id FROM task t JOIN wanted w ON t.digest = w.digest AND t.source = w.source AND t.event_id = w.event_id
  WHERE t.kind <> 'dry-run' AND EXISTS (SELECT FROM task_upload u WHERE u.task = t.id AND u.state = 'done')
  ORDER BY t.id = $2 DESC, t.seq DESC LIMIT 1
)
SELECT u.task, u.number, u.manifest, u.bundle, u.job_id AS "jobId"
FROM task_upload u JOIN last ON last.id = u.task WHERE u.state = 'done' ORDER BY u.number`

export interface LastUploads {
  readonly task: string | null
  readonly uploads: readonly EarlierUpload[]
}

/** What a dry run's result is held against. */
export async function readLastUploads(
  sql: Sql,
  dryRun: { readonly id: string; readonly repeats: string | null },
): Promise<LastUploads> {
  const rows = await sql.query<EarlierUpload & { task: string }>(LAST_UPLOADS, [
    dryRun.id,
    dryRun.repeats,
  ])
  return { task: rows[0]?.task ?? null, uploads: rows.map(({ task: _task, ...row }) => row) }
}

/** What is shown of the tasks that repeat one, the newest first. */
export interface RepeatRow {
  readonly id: string
  readonly kind: TaskKind
  readonly state: TaskState
}

export function readRepeats(sql: Sql, id: string): Promise<RepeatRow[]> {
  return sql.query<RepeatRow>(
    'SELECT id, kind, state FROM task WHERE repeats = $1 ORDER BY seq DESC LIMIT 100',
    [id],
  )
}
