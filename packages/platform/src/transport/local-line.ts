/** Consumers in this process that share what is published for them: each message is offered until one accepts it. */
import { backoff } from '../runtime/backoff.ts'
import { sleep } from '../runtime/sleep.ts'
import { type Accept, LocalConsumer } from './local-consumer.ts'
import type { PublishOutcome } from './transport.ts'
import { RefusedMessageError, UnreadableDispatchError } from './transport-errors.ts'
import type { WaitingLimit } from './waiting-limit.ts'

export interface LocalLineOptions<M> {
  /** The wait before a rejected message is offered again, doubled up to `maxMs`. */
  readonly again: { readonly firstMs: number; readonly maxMs: number }
  /** The reason when there is no consumer. */
  readonly nobody: string
  readonly onRejected: (message: M, error: unknown, offers: number) => void
}

export class LocalLine<M> {
  readonly #options: LocalLineOptions<M>
  #consumers: LocalConsumer<M>[] = []

  constructor(options: LocalLineOptions<M>) {
    this.#options = options
  }

  add(accept: Accept<M>): LocalConsumer<M> {
    const consumer = new LocalConsumer<M>(accept, () => {
      this.#consumers = this.#consumers.filter((other) => other !== consumer)
    })
    this.#consumers.push(consumer)
    return consumer
  }

  /** `refused` when it was rejected until time ran out, so nobody has it; `unknown` when a consumer is still at it. */
  async offerUntil(limit: WaitingLimit, message: M): Promise<PublishOutcome> {
    const { again, nobody, onRejected } = this.#options
    for (let offers = 1; ; offers += 1) {
      const consumer = this.#takeTurn()
      if (consumer === undefined) return { kind: 'unroutable', reason: nobody }
      const answer = await Promise.race([consumer.offer(message), limit.reached])
      if (answer.kind !== 'rejected') return answer
      if (isFinal(answer.error)) return refusal(answer.error)
      onRejected(message, answer.error, offers)
      await sleep(backoff(offers, again, Math.random), limit.signal)
      if (limit.signal.aborted) return limit.timedOut ? refusal(answer.error) : limit.reached
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()))
  }

  /** Consumers take turns: the first takes this message and goes to the end of the line. */
  #takeTurn(): LocalConsumer<M> | undefined {
    const first = this.#consumers.shift()
    if (first !== undefined) this.#consumers.push(first)
    return first
  }
}

function refusal(error: unknown): PublishOutcome {
  const reason = error instanceof Error ? error.message : 'no reason given'
  return { kind: 'refused', reason: `its consumer refused it: ${reason}` }
}

function isFinal(error: unknown): boolean {
  return error instanceof UnreadableDispatchError || error instanceof RefusedMessageError
}
