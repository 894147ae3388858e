import type { Consumer } from './transport.ts'

export type Accept<M> = (message: M) => Promise<void>

export type Answer =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'rejected'; readonly error: unknown }

/** A consumer in this process, and what it has in hand. */
export class LocalConsumer<M> implements Consumer {
  readonly #accept: Accept<M>
  readonly #onStop: () => void
  readonly #inHand = new Set<Promise<Answer>>()
  #consuming = true

  constructor(accept: Accept<M>, onStop: () => void) {
    this.#accept = accept
    this.#onStop = onStop
  }

  get consuming(): boolean {
    return this.#consuming
  }

  /** Never rejects. */
  offer(message: M): Promise<Answer> {
    const answer = this.#answer(message).finally(() => this.#inHand.delete(answer))
    this.#inHand.add(answer)
    return answer
  }

  async stop(): Promise<void> {
    this.#consuming = false
    this.#onStop()
    await Promise.all(this.#inHand)
  }

  async #answer(message: M): Promise<Answer> {
    try {
      await this.#accept(message)
      return { kind: 'accepted' }
    } catch (error) {
      return { kind: 'rejected', error }
    }
  }
}
