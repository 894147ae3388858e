/** How many bytes a download has brought, held against its limit and told to whoever asked. */
import type { DownloadOptions } from './downloader-runner.ts'
import { DownloadTooLargeError } from './errors.ts'

export interface Tally {
  /** Infinity without a limit. */
  readonly maxBytes: number
  /** Throws `DownloadTooLargeError`. */
  add(bytes: number): void
  /** A cart begins: what an earlier one brought of files that were not kept no longer counts. */
  begin(): void
  /** What was added so far is kept. */
  keep(bytes: number): void
}

/** @param total the sum of the files' sizes, as far as known. Throws `DownloadTooLargeError` when that is too much. */
export function createTally(
  total: number | undefined,
  { maxBytes = Number.POSITIVE_INFINITY, onProgress }: DownloadOptions,
): Tally {
  if (total !== undefined && total > maxBytes) {
    throw new DownloadTooLargeError(total, maxBytes, "the event's files have")
  }
  let kept = 0
  let bytes = 0
  return {
    maxBytes,
    add(more) {
      bytes += more
      if (bytes > maxBytes) {
        throw new DownloadTooLargeError(bytes, maxBytes, "the event's files have at least")
      }
      onProgress?.({ bytes, total })
    },
    begin() {
      bytes = kept
    },
    keep(more) {
      kept += more
    },
  }
}
