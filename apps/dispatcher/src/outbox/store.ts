/**
 * The outbox: what became of tasks and has not been published yet. Triggers write it, in the transaction that changes
 * the task (prisma/dispatcher/migrations/*_outbox); here it is read and emptied.
 *
 * A claim is a lease, `due` its end. Only the oldest row of a task can be claimed, so a task's events go out in order,
 * whichever process publishes them.
 */
import type { Sql } from '@pacifica/platform'

/** The task's row as it was after the change, as PostgreSQL writes a row in JSON: without its event and traceback. */
export interface TaskSnapshot {
  readonly id: string
  readonly state: string
  readonly digest: string
  readonly source: string
  readonly event_id: string
  readonly trace: string | null
  readonly attempts: number
  readonly files_taken: number
  readonly bytes_taken: number
  readonly bundles: readonly { readonly bundle?: string | null; readonly jobId?: number | null }[]
  readonly exception_type: string | null
  readonly exception_value: string | null
  readonly created: string
  readonly started: string | null
  readonly settled: string | null
}

export interface OutboxRow {
  /** Of one task, a greater one is a later change. */
  readonly seq: number
  readonly deliveries: readonly { readonly deliveryId: string; readonly replay: number }[]
  readonly snapshot: TaskSnapshot
  readonly created: Date
  /** How often it was tried before. */
  readonly tries: number
}

const CLAIM = `
WITH oldest AS (
  SELECT seq FROM task_outbox o
  WHERE due <= now() AND NOT EXISTS (SELECT FROM task_outbox e WHERE e.task = o.task AND e.seq < o.seq)
  ORDER BY seq LIMIT $1
  FOR UPDATE SKIP LOCKED
)
UPDATE task_outbox o SET due = now() + $2 * interval '1 ms', tries = o.tries + 1
FROM oldest WHERE o.seq = oldest.seq
RETURNING o.seq, o.deliveries, o.snapshot, o.created, o.tries - 1 AS tries`

export function claimOutbox(
  sql: Sql,
  options: { readonly limit: number; readonly leaseMs: number },
): Promise<OutboxRow[]> {
  return sql.query<OutboxRow>(CLAIM, [options.limit, options.leaseMs])
}

/** What the broker has. Whoever published it: there is nothing left to do. */
export async function removePublished(sql: Sql, seqs: readonly number[]): Promise<void> {
  await sql.query('DELETE FROM task_outbox WHERE seq = ANY($1::bigint[])', [[...seqs]])
}

const POSTPONE = `
UPDATE task_outbox o SET due = now() + w.wait_ms * interval '1 ms'
FROM unnest($1::bigint[], $2::float8[]) AS w (seq, wait_ms) WHERE o.seq = w.seq`

export async function postpone(
  sql: Sql,
  rows: readonly { readonly seq: number; readonly waitMs: number }[],
): Promise<void> {
  await sql.query(POSTPONE, [rows.map(({ seq }) => seq), rows.map(({ waitMs }) => waitMs)])
}

/** Only for a database that no other process can have open: whoever held these is dead. */
export async function releaseClaims(sql: Sql): Promise<void> {
  await sql.query('UPDATE task_outbox SET due = now() WHERE due > now()')
}

/** A backlog is counted so far: more than this is "at least". */
export const MOST_COUNTED = 10_000

const BACKLOG = `
SELECT (SELECT count(*)::int FROM (SELECT FROM task_outbox LIMIT ${MOST_COUNTED}) AS counted) AS waiting,
       coalesce((SELECT extract(epoch FROM now() - created) FROM task_outbox ORDER BY seq LIMIT 1), 0)::float8 AS oldest`

export interface OutboxBacklog {
  readonly waiting: number
  /** Seconds. */
  readonly oldest: number
}

export async function readOutboxBacklog(sql: Sql): Promise<OutboxBacklog> {
  const [row] = await sql.query<OutboxBacklog>(BACKLOG)
  return row ?? { waiting: 0, oldest: 0 }
}
