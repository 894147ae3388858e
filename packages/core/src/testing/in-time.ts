/** How a run is ended before the handler is done: by its time, or by who asked for it. */

import { RunTimeoutError, SignalIgnoredError } from './errors.ts'
import type { RunOutcome } from './run-here.ts'

const GRACE_MS = 10_000

export interface StopOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
  readonly graceMs?: number
}

/** The handler's signal, and what it says of the outcome. */
export class RunStop {
  readonly signal: AbortSignal
  readonly graceMs: number
  readonly #late = new AbortController()
  readonly #timeoutMs: number | undefined

  constructor({ timeoutMs, signal, graceMs = GRACE_MS }: StopOptions) {
    this.#timeoutMs = timeoutMs
    this.graceMs = graceMs
    this.signal = AbortSignal.any(signal ? [signal, this.#late.signal] : [this.#late.signal])
  }

  /** Begins to count; returns what ends that. */
  start(): () => void {
    const ms = this.#timeoutMs
    if (ms === undefined) return () => undefined
    const timer = setTimeout(() => this.#late.abort(new RunTimeoutError(ms)), ms)
    return () => clearTimeout(timer)
  }

  outcomeOf(error: Error | undefined): RunOutcome {
    if (error === undefined) return 'done'
    if (!this.signal.aborted) return 'failed'
    return this.signal.reason instanceof RunTimeoutError ? 'timed-out' : 'aborted'
  }
}

/** What `work` threw, as an Error. It is waited for until the grace after its signal aborted has passed. */
export async function inTime(
  stop: RunStop,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<Error | undefined> {
  const { signal, graceMs } = stop
  const endCounting = stop.start()
  let timer: NodeJS.Timeout | undefined
  const ignored = new Promise<never>((_resolve, reject) => {
    const wait = () => {
      timer = setTimeout(() => reject(new SignalIgnoredError(graceMs)), graceMs)
    }
    if (signal.aborted) wait()
    else signal.addEventListener('abort', wait, { once: true })
  })
  try {
    await Promise.race([begun(work, signal), ignored])
    return undefined
  } catch (thrown) {
    return asError(thrown)
  } finally {
    endCounting()
    clearTimeout(timer)
  }
}

async function begun(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal) {
  signal.throwIfAborted()
  await work(signal)
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown })
}
