/**
 * How a process ends: graceful, then forceful, then honest. `stopping` asks for no new work; the closers wait for
 * what is in hand and let go of what was opened, in reverse order; at the deadline `abandoning` ends the work too.
 */
import { setMaxListeners } from 'node:events'
import type { Log } from '../telemetry/log.ts'
import { sleep } from './sleep.ts'

export interface Lifetime {
  /** The first signal: take nothing new, finish what is in hand. */
  readonly stopping: AbortSignal
  /** The deadline or a second signal: drop what is in hand. Implies `stopping`. */
  readonly abandoning: AbortSignal
  /**
   * Registers what lets go of something just opened, or waits for a loop just started (`() => loop`). Closers run
   * one after the other, the last registered first. One registered while closing runs next.
   */
  onClose(name: string, close: () => unknown): void
}

export interface LifetimeControl extends Lifetime {
  /**
   * Stops, then closes everything; `after` (a start that is still going on) is waited for before the first closer.
   * True when all of it ended by itself: no deadline, no failed closer. Every call gives the same promise.
   */
  stop(reason: string, options?: { after?: Promise<unknown> }): Promise<boolean>
  /** Cuts short a `stop` that is going on, or that comes later. */
  abandon(reason: string): void
}

export interface LifetimeOptions {
  /** From `stop` to `abandoning`. */
  readonly graceMs: number
  /** What each closer still gets after `abandoning`. Default 3 000. */
  readonly abandonedCloserMs?: number
}

interface Closer {
  readonly name: string
  readonly close: () => unknown
}

type Closing = 'closed' | 'failed' | 'timed out'

export function createLifetime(needs: { log: Log }, options: LifetimeOptions): LifetimeControl {
  return new OneLifetime(needs.log, options)
}

class OneLifetime implements LifetimeControl {
  readonly #log: Log
  readonly #graceMs: number
  readonly #abandonedCloserMs: number
  readonly #stopping = new AbortController()
  readonly #abandoning = new AbortController()
  readonly #abandoned = aborted(this.#abandoning.signal)
  readonly #closers: Closer[] = []
  #stopped: Promise<boolean> | undefined

  constructor(log: Log, options: LifetimeOptions) {
    // Every loop, request and delivery in hand listens to these two.
    setMaxListeners(0, this.stopping, this.abandoning)
    this.#log = log
    this.#graceMs = options.graceMs
    this.#abandonedCloserMs = options.abandonedCloserMs ?? 3_000
  }

  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  get abandoning(): AbortSignal {
    return this.#abandoning.signal
  }

  onClose(name: string, close: () => unknown): void {
    this.#closers.push({ name, close })
  }

  stop(reason: string, options: { after?: Promise<unknown> } = {}): Promise<boolean> {
    this.#stopped ??= this.#stop(reason, options.after)
    return this.#stopped
  }

  abandon(reason: string): void {
    if (this.abandoning.aborted) return
    this.#log.warn({ reason }, 'process.abandoning')
    this.#stopping.abort(new Error(reason))
    this.#abandoning.abort(new Error(reason))
  }

  async #stop(reason: string, after: Promise<unknown> | undefined): Promise<boolean> {
    const startedAt = performance.now()
    const deadline = setTimeout(
      () => this.abandon(`not finished after ${this.#graceMs} ms`),
      this.#graceMs,
    )
    this.#log.info({ reason }, 'process.stopping')
    this.#stopping.abort(new Error(reason))
    let clean = after === undefined || (await this.#close('start', () => after.catch(() => {})))
    for (let next = this.#closers.pop(); next !== undefined; next = this.#closers.pop()) {
      clean = (await this.#close(next.name, next.close)) && clean
    }
    clearTimeout(deadline)
    clean &&= !this.abandoning.aborted
    const ms = Math.round(performance.now() - startedAt)
    this.#log.info({ reason, clean, ms }, 'process.stopped')
    return clean
  }

  async #close(name: string, close: () => unknown): Promise<boolean> {
    const over = new AbortController()
    const closing = attempt(close)
    const outcome = await Promise.race([
      closing.then(({ kind }) => kind),
      this.#outOfTime(over.signal),
    ])
    over.abort()
    if (outcome === 'failed')
      this.#log.error({ closer: name, err: (await closing).error }, 'close.failed')
    if (outcome === 'timed out') this.#log.error({ closer: name }, 'close.timed_out')
    return outcome === 'closed'
  }

  /** Never before `abandoning`: until then the grace period is the limit. */
  async #outOfTime(over: AbortSignal): Promise<Closing> {
    await this.#abandoned
    await sleep(this.#abandonedCloserMs, over)
    return 'timed out'
  }
}

async function attempt(close: () => unknown): Promise<{ kind: Closing; error?: unknown }> {
  try {
    await close()
    return { kind: 'closed' }
  } catch (error) {
    return { kind: 'failed', error }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
