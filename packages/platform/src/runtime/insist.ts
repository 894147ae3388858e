/** What was done already is not lost because the database is away for a minute: recording it is tried again. */
import { isUnavailable } from '../database/unavailable.ts'
import type { Log } from '../telemetry/log.ts'
import { type BackoffOptions, backoff } from './backoff.ts'
import { sleep } from './sleep.ts'

export interface InsistOptions {
  /** For the log: `the result of task 5`. */
  readonly what: string
  /** Ends it: there is one more try, and no other. */
  readonly signal: AbortSignal
  /** For so long, in milliseconds: no try begins later. Default: without end. */
  readonly withinMs?: number
  /** Default 500 ms to 30 s. */
  readonly again?: BackoffOptions
  readonly log: Pick<Log, 'warn' | 'debug'>
}

/** Does `work`, again and again while the database is away. Rejects with any other error, and when it has to end. */
export async function insist<T>(work: () => Promise<T>, options: InsistOptions): Promise<T> {
  const { what, signal, log, withinMs = Number.POSITIVE_INFINITY } = options
  const deadline = performance.now() + withinMs
  for (let failures = 1; ; failures += 1) {
    try {
      return await work()
    } catch (err) {
      log[failures === 1 ? 'warn' : 'debug']({ err, what, failures }, 'record.database_failed')
      const waitMs = backoff(failures, options.again ?? AGAIN, Math.random)
      const isOver = signal.aborted || performance.now() + waitMs > deadline
      if (isOver || !isUnavailable(err)) throw err
      await sleep(waitMs, signal)
    }
  }
}

const AGAIN: BackoffOptions = { firstMs: 500, maxMs: 30_000 }
