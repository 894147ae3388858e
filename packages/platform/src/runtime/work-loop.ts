/** The one loop of both services: claim, act, record; sleep on the bell when there is nothing to do. */
import type { Log } from '../telemetry/log.ts'
import { backoff } from './backoff.ts'
import type { Bell } from './bell.ts'
import { sleep } from './sleep.ts'

export interface WorkLoopOptions {
  /** For the log: 'match', 'deliver'. */
  readonly name: string
  /** Ends the loop after the step in hand. */
  readonly signal: AbortSignal
  readonly bell: Bell
  /** How long to sleep at most: polling is the safety net under the bell. */
  readonly idleMs: number
  readonly log: Pick<Log, 'error'>
  /** The wait after a first failed step; doubled up to a minute while steps go on failing. Default 1 000. */
  readonly failureWaitMs?: number
}

const LONGEST_FAILURE_WAIT_MS = 60_000

/**
 * Runs `step` until `signal` aborts. A step says whether there may be more to do at once. A step that throws is
 * logged and the loop goes on after a wait, which no bell shortens. Never rejects.
 */
export async function workLoop(
  step: () => Promise<boolean>,
  options: WorkLoopOptions,
): Promise<void> {
  const { name, signal, bell, idleMs, log } = options
  let failures = 0
  while (!signal.aborted) {
    try {
      const mayBeMore = await step()
      failures = 0
      if (!mayBeMore && !signal.aborted) await bell.wait(idleMs, signal)
    } catch (err) {
      failures += 1
      const waitMs = failureWait(failures, options)
      log.error({ err, loop: name, failures, waitMs }, 'loop.failed')
      await sleep(waitMs, signal)
    }
  }
}

function failureWait(failures: number, options: WorkLoopOptions): number {
  const firstMs = options.failureWaitMs ?? 1_000
  const maxMs = Math.max(firstMs, LONGEST_FAILURE_WAIT_MS)
  return backoff(failures, { firstMs, maxMs }, Math.random)
}
