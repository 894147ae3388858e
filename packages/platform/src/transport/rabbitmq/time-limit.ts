export type LimitReached = 'timeout' | 'given up' | 'closed'

/** Until when a publisher waits: its timeout, its own signal, or the end of the transport. */
export class TimeLimit {
  readonly #timer: NodeJS.Timeout
  readonly #asked: AbortSignal | undefined
  #resolve: (reached: LimitReached) => void = () => {}
  readonly #giveUp = () => this.end('given up')
  readonly reached = new Promise<LimitReached>((resolve) => {
    this.#resolve = resolve
  })

  constructor({ timeoutMs, signal }: { timeoutMs: number; signal?: AbortSignal }) {
    this.#timer = setTimeout(() => this.end('timeout'), timeoutMs)
    this.#asked = signal
    signal?.addEventListener('abort', this.#giveUp)
    if (signal?.aborted) this.#giveUp()
  }

  end(why: LimitReached): void {
    this.#resolve(why)
    this.clear()
  }

  /** To be called when the waiting is over, however it ended. */
  clear(): void {
    clearTimeout(this.#timer)
    this.#asked?.removeEventListener('abort', this.#giveUp)
  }
}
