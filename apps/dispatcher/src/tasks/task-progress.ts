/** How far a run is, on its way to the task's row: only the newest, and not more often than people look. */
import type { Progress } from '@pacifica/core'

export interface ReportedProgress extends Omit<Progress, 'total'> {
  readonly total?: number | undefined
  /** Of what `done` and `total` count: bytes for transfers, whatever the handler counts else. */
  readonly unit?: 'bytes'
}

export interface ProgressReport {
  tell(progress: ReportedProgress): void
  /** Nothing is written any more, once it resolves. Never rejects. */
  close(): Promise<void>
}

/** @param write may reject: then the next one says more */
export function createProgressReport(
  write: (progress: ReportedProgress) => Promise<void>,
  everyMs: number,
): ProgressReport {
  let newest: ReportedProgress | undefined
  let timer: NodeJS.Timeout | undefined
  let writing = Promise.resolve()
  let closed = false

  function flush(): void {
    const progress = newest
    newest = undefined
    timer = undefined
    if (progress === undefined || closed) return
    writing = writing.then(() => write(progress)).catch(() => undefined)
  }

  return {
    tell(progress) {
      newest = progress
      timer ??= setTimeout(flush, everyMs)
    },
    async close() {
      closed = true
      clearTimeout(timer)
      await writing
    },
  }
}
