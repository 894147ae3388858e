/** Where a handler runs. One adapter so far: in this process (inline.ts). */
import type { Event, TransactionKeyValue, UploadResult } from '@pacifica/core'
import type { Outcome } from '../tasks/task.ts'

/** What a handler's run needs to know, free of our own parts: it can be sent to another process. */
export interface Job {
  readonly taskId: string
  readonly event: Event
  /** The task's scratch folder: exists, and is removed afterwards. */
  readonly folder: string
  readonly provenance: readonly TransactionKeyValue[]
  /** Whether the task is still ours. Asked before anything leaves the house. */
  readonly holds: () => Promise<boolean>
  /** Stores what was brought and made, as soon as it is. */
  readonly notes: TransferNotes
}

export interface TransferNotes {
  taken(taken: { readonly files: number; readonly bytes: number }): Promise<void>
  bundle(made: Pick<UploadResult, 'bundle' | 'jobId'>): Promise<void>
}

export interface Isolation {
  /** Routes the event and runs its handler: `done`, `unrouted` or `threw`. Never rejects. `signal` asks it to end. */
  run(job: Job, signal: AbortSignal): Promise<Outcome>
}
