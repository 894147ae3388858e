import type { PublishOutcome } from './transport.ts'

/** How long a publisher waits: until its timeout, until its own signal aborts, or until the transport closes. */
export class WaitingLimit {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #asked: AbortSignal | undefined
  readonly #giveUp = () => this.end('given up while its consumer had it')
  #timedOut = false
  /** Resolves with `unknown`: whoever waits for this has a consumer at work. */
  readonly reached: Promise<PublishOutcome>

  constructor(options: { timeoutMs: number; signal?: AbortSignal }) {
    const { timeoutMs, signal } = options
    this.reached = new Promise((resolve) => {
      this.signal.addEventListener('abort', () =>
        resolve({ kind: 'unknown', reason: String(this.signal.reason) }),
      )
    })
    this.#timer = setTimeout(() => {
      this.#timedOut = true
      this.end(`its consumer gave no answer within ${timeoutMs} ms`)
    }, timeoutMs)
    this.#asked = signal
    signal?.addEventListener('abort', this.#giveUp)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  get timedOut(): boolean {
    return this.#timedOut
  }

  end(reason: string): void {
    this.#controller.abort(reason)
  }

  /** To be called when the waiting is over, however it ended. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#asked?.removeEventListener('abort', this.#giveUp)
  }
}
