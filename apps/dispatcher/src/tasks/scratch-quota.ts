/** Looks while a handler runs how much its folder holds, and tells the run to end when that is too much. */
import { folderSize } from '@pacifica/core'
import { sleep } from '@pacifica/platform'
import { ScratchQuotaError } from './stop-reasons.ts'

export interface QuotaOptions {
  /** Bytes; infinite: nobody looks. */
  readonly maxBytes: number
  readonly everyMs: number
}

/**
 * Does `work` with a signal that aborts when `signal` does, or with a ScratchQuotaError when `folder` holds more than it
 * may.
 */
export async function withinQuota<T>(
  folder: string,
  { maxBytes, everyMs }: QuotaOptions,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!Number.isFinite(maxBytes)) return await work(signal)
  const [full, ended] = [new AbortController(), new AbortController()]
  const watching = watch()
  try {
    return await work(AbortSignal.any([signal, full.signal]))
  } finally {
    ended.abort()
    await watching
  }

  async function watch(): Promise<void> {
    while (!ended.signal.aborted) {
      const bytes = await folderSize([folder])
      if (bytes > maxBytes) return full.abort(new ScratchQuotaError(bytes, maxBytes))
      await sleep(everyMs, ended.signal)
    }
  }
}
