/**
 * The uploads of a task, one statement to a function. A row is there before the first byte of its bundle is sent, and
 * changes only while the claim of whoever uploads is the newest: that is the fence around the one result of a task.
 */
import type { Database, Sql } from '@pacifica/platform'
import type { Manifest } from './manifest.ts'
import type { Held } from './store.ts'

/** `begun`: Ingest cannot have it yet. `ending`: it may have it. `sent`: its job is known. `done`: it has made it a transaction. */
export type UploadState = 'begun' | 'ending' | 'sent' | 'done'

export interface UploadRecord {
  /** Counted from 1, in the order in which the handler asks. */
  readonly number: number
  readonly state: UploadState
  /** The last thing that the handler does. */
  readonly last: boolean
  /** It may be in the archive twice. */
  readonly unsure: boolean
  readonly jobId: number | null
  readonly bundle: string | null
  /** As Metadata knows it, when it was asked. */
  readonly transaction: string | null
  /** Milliseconds since it came to be in this state, by the database's clock. */
  readonly ageMs: number
}

/** What is stored of an upload. */
export interface UploadChange extends Omit<UploadRecord, 'ageMs'> {
  /** What the bundle holds; what is known of that stays, unless the upload begins anew. */
  readonly manifest?: Manifest | undefined
}

export async function readUploads(sql: Sql, taskId: string): Promise<UploadRecord[]> {
  return await sql.query<UploadRecord>(
    `SELECT number, state, last, unsure, job_id AS "jobId", bundle, transaction,
            (extract(epoch FROM now() - updated) * 1000)::float8 AS "ageMs"
     FROM task_upload WHERE task = $1 ORDER BY number`,
    [taskId],
  )
}

const MARK = `
WITH ours AS (
  SELECT id FROM task WHERE id = $1 AND claim = $2 AND state = 'running' FOR UPDATE
)
INSERT INTO task_upload (task, number, state, last, unsure, job_id, bundle, transaction, manifest)
SELECT id, $3, $4, $5, $6, $7, $8, $9, $10::jsonb FROM ours
ON CONFLICT (task, number) DO UPDATE
SET state = excluded.state, last = excluded.last, unsure = excluded.unsure, job_id = excluded.job_id,
    bundle = excluded.bundle, transaction = excluded.transaction, updated = now(),
    manifest = CASE WHEN excluded.state = 'begun' THEN excluded.manifest
               ELSE coalesce(excluded.manifest, task_upload.manifest) END
RETURNING number`

const SHOW = `
UPDATE task SET updated = now(), bundles = coalesce((
  SELECT jsonb_agg(jsonb_build_object('bundle', bundle, 'jobId', job_id, 'transaction', transaction, 'unsure', unsure) ORDER BY number)
  FROM task_upload WHERE task = $1 AND state = 'done'), '[]')
WHERE id = $1`

/** False: the claim is no longer ours, and nothing was changed. */
export function markUpload(database: Database, held: Held, upload: UploadChange): Promise<boolean> {
  const { number, state, last, unsure, jobId, bundle, transaction, manifest } = upload
  const values = [held.id, held.claim, number, state, last, unsure, jobId, bundle, transaction]
  const holds = manifest === undefined ? null : JSON.stringify(manifest)
  return database.transaction(async (sql) => {
    const rows = await sql.query(MARK, [...values, holds])
    if (rows.length === 0) return false
    if (state === 'done') await sql.query(SHOW, [held.id])
    return true
  })
}
