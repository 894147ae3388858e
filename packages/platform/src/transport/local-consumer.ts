import type { Consumer, DispatchMessage } from './transport.ts'

export type Accept = (message: DispatchMessage) => Promise<void>

export type Answer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected'; readonly error: unknown }

/** A consumer in this process, and what it has in hand. */
export class LocalConsumer implements Consumer {
  readonly #accept: Accept
  readonly #onStop: () => void
  readonly #inHand = new Set<Promise<Answer>>()
  #consuming = true

  constructor(accept: Accept, onStop: () => void) {
    this.#accept = accept
    this.#onStop = onStop
  }

  get consuming(): boolean {
    return this.#consuming
  }

  /** Never rejects. */
  offer(message: DispatchMessage): Promise<Answer> {
    const answer = this.#answer(message).finally(() => this.#inHand.delete(answer))
    this.#inHand.add(answer)
    return answer
  }

  async stop(): Promise<void> {
    this.#consuming = false
    this.#onStop()
    await Promise.all(this.#inHand)
  }

  async #answer(message: DispatchMessage): Promise<Answer> {
    try {
      await this.#accept(message)
      return { kind: 'accepted' }
    } catch (error) {
      return { kind: 'rejected', error }
    }
  }
}
