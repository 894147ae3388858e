/** What Ingest says of a job, read. Pure. */
import { isJsonObject, type JsonObject } from '../events/json.ts'
import { IngestFailedError } from './errors.ts'

/** The last of Ingest's tasks. */
const LAST_TASK = 'ingest metadata'

/** Ingest's answer as an object with a job's number; undefined when it is none. */
export function readJob(text: string): (JsonObject & { readonly job_id: number }) | undefined {
  try {
    const job: unknown = JSON.parse(text)
    if (!isJsonObject(job) || !Number.isSafeInteger(job['job_id'])) return undefined
    return job as JsonObject & { readonly job_id: number }
  } catch {
    return undefined
  }
}

/**
 * Whether the job is done: state OK and the last task at 100 percent (a string, `100.00000`). Throws
 * `IngestFailedError` when it has failed.
 */
export function isDone(jobId: number, job: JsonObject): boolean {
  const { state, task, task_percent: percent } = job
  if (state === 'FAILED') {
    throw new IngestFailedError(jobId, String(task ?? ''), String(job['exception'] ?? ''))
  }
  return state === 'OK' && task === LAST_TASK && Number(percent) >= 100
}

/** `ingest files 40.00000 %`: changes when something has happened. */
export function describeJob({ state, task, task_percent: percent }: JsonObject): string {
  const known = state === 'OK' ? '' : ` (${String(state)})`
  return `${String(task)} ${String(percent)} %${known}`
}
