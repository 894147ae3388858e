import type { BundleSubject, DescribedFile } from '../bundle/metadata.ts'
import type { JsonObject } from '../events/json.ts'
import type { TransferOptions } from '../transfer/deadline.ts'

/** Whose the result is, what is noted on it, and how long the upload may stand still. */
export interface UploadOptions extends BundleSubject, TransferOptions {
  /**
   * Told Ingest's job as soon as it has a number, long before the upload is done; waited for. Store it: an upload that
   * is broken off after this need not be made again (`RemoteUploaderRunner.follow`).
   */
  readonly onJob?: (jobId: number) => void | Promise<void>
  /**
   * Told what the bundle holds, when all of its files are read: before `beforeLast`. By the runners of core; one that
   * does not bundle files as they do need not.
   */
  readonly onFiles?: (files: readonly DescribedFile[]) => void
  /**
   * Waited for when all but the last bytes of the bundle are sent: until it resolves, Ingest cannot have taken the
   * bundle. Rejects: the upload fails, and nothing was handed in.
   */
  readonly beforeLast?: () => void | Promise<void>
  /**
   * This upload is the last thing that the handler does: when the task is taken up again after a crash and the bundle
   * had been handed in by then, the handler is not run again. False unless given.
   */
  readonly last?: boolean
}

/** What became of an upload that went well. */
export interface UploadResult {
  /** Where the bundle lies, if it is kept. */
  readonly bundle: string | undefined
  /** Ingest's job, if there is one. */
  readonly jobId: number | undefined
  /** What Ingest said of the job last; `{}` without one. */
  readonly state: JsonObject
}

/** Hands in a handler's result. Authors may write their own. */
export abstract class UploaderRunner {
  /**
   * Makes a bundle of all files below `folder`, at `data/<path below folder>`, and resolves when it is safely away.
   * @param folder an existing folder of the task's own; links that leave it are refused
   * @param options whose the result is, and how long the upload may stand still
   */
  abstract upload(folder: string, options: UploadOptions): Promise<UploadResult>
}
