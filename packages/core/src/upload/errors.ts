/** Ingest took the bundle and then could not make a transaction of it. */
export class IngestFailedError extends Error {
  override readonly name = 'IngestFailedError'
  readonly code = 'INGEST_FAILED'
  /** Ingest's number of the job. */
  readonly jobId: number
  /** The step that failed: `Policy Validation`. */
  readonly task: string
  /** All that Ingest says of it, often a Python traceback. */
  readonly exception: string

  constructor(jobId: number, task: string, exception: string) {
    super(`Ingest failed job ${jobId} at ${JSON.stringify(task)}: ${reasonIn(exception)}`)
    this.jobId = jobId
    this.task = task
    this.exception = exception
  }
}

/** Ingest knows nothing of a job whose number it had given. */
export class IngestJobUnknownError extends Error {
  override readonly name = 'IngestJobUnknownError'
  readonly code = 'INGEST_JOB_UNKNOWN'
  /** Ingest's number of the job. */
  readonly jobId: number

  constructor(jobId: number, call: string) {
    super(`Ingest does not know job ${jobId} (404 to ${call}); check the status URL`)
    this.jobId = jobId
  }
}

const SHOWN = 500

/** What follows a traceback's last frame says what happened; other text is its own reason. */
function reasonIn(exception: string): string {
  const lines = exception.split('\n').filter((line) => line.trim() !== '')
  const isTraceback = lines.some((line) => line.startsWith('Traceback '))
  const afterFrames = lines.slice(lines.findLastIndex((line) => /^\s/.test(line)) + 1)
  const told = isTraceback && afterFrames.length > 0 ? afterFrames : lines
  const reason = told.join('\n').trim().slice(0, SHOWN)
  return reason === '' ? 'it gave no reason' : reason
}
