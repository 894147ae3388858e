/** Lists of tasks with filters, the newest first, page by page; and a single task with all that belongs to it. */
import type { Sql } from '@pacifica/platform'
import type { Comparison } from './compare.ts'
import type { Manifest } from './manifest.ts'
import { type RepeatRow, readRepeats, type TaskKind } from './repeat.ts'
import type { TaskState } from './task.ts'
import type { UploadState } from './upload-store.ts'

/** All of them must hold; what is not given does not matter. */
export interface TaskFilter {
  readonly states?: readonly TaskState[]
  readonly kind?: TaskKind
  readonly source?: string
  readonly eventId?: string
  /** Of when it came in: from the first, up to and without the second. */
  readonly since?: string
  readonly until?: string
  /** Somewhere in source, event id, or the error's type or message; upper and lower case alike. */
  readonly text?: string
}

export interface ListedTask {
  readonly id: string
  readonly seq: number
  readonly state: TaskState
  readonly kind: TaskKind
  readonly repeats: string | null
  readonly source: string
  readonly eventId: string
  readonly size: number
  readonly join: string | null
  readonly attempts: number
  readonly retries: number
  readonly due: Date
  readonly worker: string | null
  readonly progress: unknown
  readonly cancelled: Date | null
  readonly filesTaken: number
  readonly bytesTaken: number
  readonly bundles: unknown
  readonly exceptionType: string | null
  readonly exceptionValue: string | null
  readonly created: Date
  readonly updated: Date
  readonly started: Date | null
  readonly settled: Date | null
}

const COLUMNS = `
  id, seq, state, kind, repeats, source, event_id AS "eventId", size,
  coalesce(join_run, joined) AS join, attempts, retries, due, worker, progress, cancelled,
  files_taken AS "filesTaken", bytes_taken AS "bytesTaken", bundles, exception_type AS "exceptionType",
  exception_value AS "exceptionValue", created, updated, started, settled`

/** @param cursor only tasks that came in before this one, by `seq` */
export function listTasks(
  sql: Sql,
  filter: TaskFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<ListedTask[]> {
  const values: unknown[] = [limit]
  const conditions = ['deleted IS NULL']
  const where = (value: unknown, condition: (given: string) => string) => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  const { states, kind, source, eventId, since, until, text } = filter
  where(cursor, (given) => `seq < ${given}::bigint`)
  where(states && [...states], (given) => `state = ANY(${given}::text[])`)
  where(kind, (given) => `kind = ${given}`)
  // The index has the first 200 characters. Said twice, PostgreSQL would take the condition for twice as rare.
  where(source, (given) => {
    const whole = source !== undefined && source.length < 200 ? '' : ` AND source = ${given}`
    return `left(source, 200) = left(${given}, 200)${whole}`
  })
  where(eventId, (given) => `left(event_id, 200) = left(${given}, 200) AND event_id = ${given}`)
  where(since, (given) => `created >= ${given}::timestamptz AND ${after(given)}`)
  where(until, (given) => `created < ${given}::timestamptz AND ${before(given)}`)
  where(text, (given) => `strpos(${SEARCHED}, lower(${given})) > 0`)
  const all = conditions.join(' AND ')
  return sql.query<ListedTask>(
    `SELECT ${COLUMNS} FROM task WHERE ${all} ORDER BY seq DESC LIMIT $1`,
    values,
  )
}

// The list is in the order of `seq`, which is that of `created` but for what was committed at the same time, or while a
// clock was set back. So a time says where in the list to look, generously: else all that is newer would be read first.
const before = (until: string) => `seq <= coalesce((SELECT t.seq FROM task t
  WHERE t.created >= ${until}::timestamptz + interval '1 day' ORDER BY t.created LIMIT 1), ${MOST_SEQ})`
const after = (since: string) => `seq >= coalesce((SELECT t.seq FROM task t
  WHERE t.created < ${since}::timestamptz - interval '1 day' ORDER BY t.created DESC LIMIT 1), 0)`

const MOST_SEQ = '9223372036854775807'

/** A line break keeps a text from being found across two of them. */
const SEARCHED = `lower(concat_ws(E'\\n', event_id, source, exception_type, exception_value))`

export interface ShownUpload {
  readonly number: number
  readonly state: UploadState
  readonly bundle: string | null
  readonly jobId: number | null
  readonly transaction: string | null
  readonly unsure: boolean
  readonly manifest: Manifest | null
  readonly updated: Date
}

export interface TaskDetail extends ListedTask {
  readonly event: string
  readonly exceptionTraceback: string
  readonly comparison: Comparison | null
  readonly deliveries: readonly { readonly deliveryId: string; readonly replay: number }[]
  readonly uploads: readonly ShownUpload[]
  readonly repeatedBy: readonly RepeatRow[]
}

const DETAIL = `
SELECT ${COLUMNS}, event, exception_traceback AS "exceptionTraceback", comparison,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('deliveryId', d.delivery, 'replay', d.replay)
                             ORDER BY d.created, d.delivery), '[]')
   FROM task_delivery d WHERE d.task = task.id) AS deliveries
FROM task WHERE id = $1`

const UPLOADS = `
SELECT number, state, bundle, job_id AS "jobId", transaction, unsure, manifest, updated
FROM task_upload WHERE task = $1 ORDER BY number`

export async function readTask(sql: Sql, id: string): Promise<TaskDetail | undefined> {
  type Row = Omit<TaskDetail, 'uploads' | 'repeatedBy'>
  const [row] = await sql.query<Row>(DETAIL, [id])
  if (row === undefined) return undefined
  const uploads = await sql.query<ShownUpload>(UPLOADS, [id])
  return { ...row, uploads, repeatedBy: await readRepeats(sql, id) }
}
