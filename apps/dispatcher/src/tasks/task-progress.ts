/** How far a run is, on its way to the task's row: only the newest, and not more often than people look. */
import type { Progress, TransferProgress } from '@pacifica/core'

export interface ReportedProgress extends Omit<Progress, 'total'> {
  readonly total?: number | undefined
  /** Of what `done` and `total` count: bytes for transfers, whatever the handler counts else. */
  readonly unit?: 'bytes'
  /** By Cartd of the cart, or by Ingest of the job, while it is waited for. */
  readonly said?: string
}

const LONGEST_SAID = 200

/** How far a transfer is: its bytes, or what is waited for now that they stand still. */
export function transferProgress(step: 'download' | 'upload', tell: ProgressReport['tell']) {
  let bytes: Pick<ReportedProgress, 'done' | 'total' | 'unit'> = {}
  return {
    moved({ bytes: done, total }: TransferProgress) {
      bytes = { done, total, unit: 'bytes' }
      tell({ step, ...bytes })
    },
    heard(said: string) {
      tell({ step, ...bytes, said: clipped(said) })
    },
  }
}

/** A letter that is cut in two would be refused by the database. */
function clipped(said: string): string {
  return Buffer.from(said.slice(0, LONGEST_SAID)).toString()
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
