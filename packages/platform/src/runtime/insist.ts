/** What took hours is not thrown away because the database is away for a minute. */
import { backoff, isUnavailable, type Log, sleep } from '@pacifica/platform'

/** Does `work`, again and again while the database is away. Rejects with any other error, and when `signal` aborts. */
export async function insist<T>(
  work: () => Promise<T>,
  { what, signal, log }: { what: string; signal: AbortSignal; log: Log },
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await work()
    } catch (err) {
      log.error({ err, what, failures }, 'task.database_failed')
      if (signal.aborted || !isUnavailable(err)) throw err
      await sleep(backoff(failures, { firstMs: 500, maxMs: 30_000 }, Math.random), signal)
    }
  }
}
