/** What supervisor and child say to each other. Structured clones: plain data, `undefined` and bytes pass unchanged. */
import type {
  FileAttributes,
  Progress,
  TransactionAttributes,
  TransactionKeyValueAttributes,
  TransferProgress,
  UploadResult,
} from '@pacifica/core'
import type { Outcome } from '../tasks/task.ts'
import type { JoinedJob } from './isolation.ts'
import type { WireError } from './wire-errors.ts'

/** Where the child listens for the end of its supervisor. 0 to 2 are the usual ones, 3 is the channel of messages. */
export const PARENT_DESCRIPTOR = 4

export type ToChild =
  | ({ readonly kind: 'job' } & WireJob)
  /** The handler is asked to end. */
  | { readonly kind: 'stop'; readonly reason: WireError }
  /** How a transfer is; how it ended. */
  | { readonly kind: 'moved'; readonly transfer: number; readonly progress: TransferProgress }
  | { readonly kind: 'news'; readonly transfer: number; readonly said: string }
  | { readonly kind: 'job-number'; readonly transfer: number; readonly jobId: number }
  | { readonly kind: 'transferred'; readonly transfer: number; readonly result?: UploadResult }
  | { readonly kind: 'not-transferred'; readonly transfer: number; readonly error: WireError }

export interface WireJob {
  readonly taskId: string
  /** JSON text. */
  readonly event: string
  /** Each JSON text. */
  readonly joined:
    | (Omit<JoinedJob, 'events'> & { readonly events: Record<string, string> })
    | undefined
  readonly folder: string
  readonly provenance: readonly TransactionKeyValueAttributes[]
  /** DISPATCHER_MODULE; undefined when the child's own program has the dispatcher. */
  readonly module: string | undefined
  /** The supervisor's: what paths are relative to. */
  readonly workingFolder: string
}

export type ToSupervisor =
  /** It listens, and may be given its job. */
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'log'
      readonly level: 'info' | 'warn' | 'error'
      readonly message: string
      readonly fields: Readonly<Record<string, unknown>>
    }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | ({ readonly kind: 'download' } & WireDownload)
  | ({ readonly kind: 'upload' } & WireUpload)
  | { readonly kind: 'call-off'; readonly transfer: number }
  /** The handler is through. */
  | { readonly kind: 'end'; readonly outcome: Outcome }

interface WireTransfer {
  /** Its number, the child's choice. */
  readonly transfer: number
  /** In the task's scratch folder. */
  readonly folder: string
  readonly timeout: number | undefined
  /** Whether the handler wants to be told how far it is. */
  readonly watched: boolean
}

export interface WireDownload extends WireTransfer {
  readonly files: readonly FileAttributes[]
  readonly maxBytes: number | undefined
}

export interface WireUpload extends WireTransfer {
  readonly transaction: TransactionAttributes
  readonly keyValues: readonly TransactionKeyValueAttributes[]
  readonly last: boolean
}
