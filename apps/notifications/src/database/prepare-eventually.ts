/** Prepares the tables now if the database is there, else as soon as it is, while the process already takes events. */
import { isUnavailable, type Lifetime, type Log, sleep } from '@pacifica/platform'

/** How long the start waits for the first try; a long migration goes on behind it. */
const PATIENCE_MS = 5_000
const AGAIN_MS = 3_000

export interface EventuallyPrepared {
  /** Resolves when the start may go on; rejects when the first try failed, and not because the database is away. */
  readonly begun: Promise<void>
  prepared(): boolean
}

export function prepareEventually(
  prepare: () => Promise<void>,
  { life, log }: { life: Lifetime; log: Log },
): EventuallyPrepared {
  let isPrepared = false
  const over = new AbortController()
  const first = prepare()
  const untilPrepared = async () => {
    for (let tried = first; ; tried = prepare()) {
      try {
        await tried
        isPrepared = true
        return
      } catch (err) {
        if (life.stopping.aborted) return
        log.warn({ err, waitMs: AGAIN_MS }, 'database.not_prepared')
      }
      await sleep(AGAIN_MS, life.stopping)
      if (life.stopping.aborted) return
    }
  }
  const preparing = untilPrepared()
  life.onClose('tables', () => preparing)
  const firstTry = first.then(
    () => {},
    (error: unknown) => {
      if (!isUnavailable(error)) throw error
    },
  )
  const begun = Promise.race([firstTry, sleep(PATIENCE_MS, over.signal)]).finally(() =>
    over.abort(),
  )
  return { begun, prepared: () => isPrepared }
}
