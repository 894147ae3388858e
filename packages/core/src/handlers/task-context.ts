import type { DownloaderRunner } from '../download/downloader-runner.ts'
import type { TransactionKeyValue } from '../models/transaction-key-value.ts'
import type { UploaderRunner } from '../upload/uploader-runner.ts'

/** Lines in the service's log that carry the task's id. */
export interface TaskLog {
  /**
   * What is worth knowing when all is well.
   * @param message a name for what happened: `convert.done`
   * @param fields what belongs to it; values that JSON can hold
   */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void
  /**
   * What somebody should look at; the work goes on.
   * @param message a name for what happened
   * @param fields what belongs to it; values that JSON can hold
   */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void
  /**
   * What went wrong. To fail the task, throw.
   * @param message a name for what happened
   * @param fields what belongs to it; values that JSON can hold
   */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void
}

/** How far a handler is. `done` of `total`, in whatever unit the handler counts in. */
export interface Progress {
  /** What it is doing: `convert`. */
  readonly step: string
  /** So much is done. */
  readonly done?: number
  /** Of so much; left out while nobody knows. */
  readonly total?: number
}

/** What a handler is given for one task. */
export interface TaskContext {
  /** As `GET /status/ID` takes it. */
  readonly taskId: string
  /** Aborts when the task is cancelled, timed out, or taken over: stop then. */
  readonly signal: AbortSignal
  /** The task's own folder for scratch. It exists; the service removes it afterwards. */
  readonly folder: string
  /** Fetches the event's files: from Cartd, or from where the operator has said. */
  readonly downloader: DownloaderRunner
  /** Takes results: to Ingest, or to where the operator has said. */
  readonly uploader: UploaderRunner
  /** The task's log: `GET /tasks/TASK/log`. */
  readonly log: TaskLog
  /** Told how far the handler is; the task shows the latest. */
  readonly progress: (progress: Progress) => void
  /** Key-values that say where a result comes from. The service puts them on every upload, whoever calls `uploader`. */
  readonly provenance: readonly TransactionKeyValue[]
}
