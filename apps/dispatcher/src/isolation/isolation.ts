/** Where a handler runs: in a process of its own (child-process.ts), or in this one (inline.ts: for tests). */
import type {
  DownloaderRunner,
  Event,
  Progress,
  TaskLog,
  TransactionKeyValue,
  UploaderRunner,
} from '@pacifica/core'
import type { Outcome } from '../tasks/task.ts'
import type { ProcessRecord } from './process-tree.ts'

/** The events of a join, by slot. */
export interface JoinedJob {
  /** The join's name. */
  readonly join: string
  readonly key: string
  readonly events: Readonly<Record<string, Event>>
}

/** What a handler's run needs to know and may ask for. */
export interface Job {
  readonly taskId: string
  readonly event: Event
  /** What a task of a join runs on, instead of its own event. */
  readonly joined?: JoinedJob | undefined
  /** The task's scratch folder: exists, and is removed afterwards. */
  readonly folder: string
  readonly provenance: readonly TransactionKeyValue[]
  /** Transfer for the handler, on this side: with our credentials, and while the task is ours. */
  readonly downloader: DownloaderRunner
  readonly uploader: UploaderRunner
  readonly notes: RunNotes
  /** Aborts when a run that was asked to end has not: then it must be ended by force. */
  readonly force: AbortSignal
}

/** What a run tells while it goes on. */
export interface RunNotes {
  /** The handler's own lines. */
  readonly log: TaskLog
  /** What its process wrote to standard output and error. */
  readonly output: (stream: 'out' | 'err', text: string) => void
  readonly progress: (progress: Progress) => void
  /** Where it runs; resolves once that is stored. */
  readonly process: (record: ProcessRecord) => Promise<void>
}

export interface Isolation {
  /**
   * Routes the event and runs its handler. Never rejects. `signal` asks it to end. An isolation that can ends the run
   * when `job.force` aborts; from one that cannot, the run is left behind then.
   */
  run(job: Job, signal: AbortSignal): Promise<Outcome>
}
