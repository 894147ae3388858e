import type { DownloaderRunner } from '../download/downloader-runner.ts'
import type { TransactionKeyValue } from '../models/transaction-key-value.ts'
import type { UploaderRunner } from '../upload/uploader-runner.ts'

/** Lines in the service's log that carry the task's id. */
export interface TaskLog {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** How far a handler is. `done` of `total`, in whatever unit the handler counts in. */
export interface Progress {
  readonly step: string
  readonly done?: number
  readonly total?: number
}

/** What a handler is given for one task. */
export interface TaskContext {
  readonly taskId: string
  /** Aborts when the task is cancelled, timed out, or taken over: stop then. */
  readonly signal: AbortSignal
  /** The task's own folder for scratch. It exists; the service removes it afterwards. */
  readonly folder: string
  readonly downloader: DownloaderRunner
  readonly uploader: UploaderRunner
  readonly log: TaskLog
  readonly progress: (progress: Progress) => void
  /** Key-values that say where a result comes from. The service puts them on every upload, whoever calls `uploader`. */
  readonly provenance: readonly TransactionKeyValue[]
}
