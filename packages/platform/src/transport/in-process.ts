/**
 * The embedded transport: both services in one process. It stores nothing, so `publish` resolves only when the
 * consumer has acknowledged the message: until then the delivery's row is what keeps it.
 */
import { backoff } from '../runtime/backoff.ts'
import { sleep } from '../runtime/sleep.ts'
import type { Log } from '../telemetry/log.ts'
import { type Accept, LocalConsumer } from './local-consumer.ts'
import {
  type Consumer,
  DISPATCHER_NAME,
  type DispatchMessage,
  type PublishOutcome,
  type Transport,
} from './transport.ts'
import {
  DispatcherNameError,
  TransportClosedError,
  UnreadableDispatchError,
} from './transport-errors.ts'
import { WaitingLimit } from './waiting-limit.ts'

export interface InProcessOptions {
  /** The wait before a rejected message is offered again, doubled up to `maxMs`. Default 100 ms to 2 s. */
  readonly again?: { readonly firstMs: number; readonly maxMs: number }
}

/**
 * Outcomes: `accepted` when a consumer's `accept` resolved; `unroutable` when nobody consumes that name; `refused`
 * when it was rejected until time ran out, so nobody has it; `unknown` when a consumer was still at it at the timeout
 * (it may yet accept), and whenever the publisher's signal or `close` ended the waiting.
 */
export function createInProcessTransport(
  needs: { log: Log },
  options: InProcessOptions = {},
): Transport {
  return new InProcessTransport(needs.log, options.again ?? { firstMs: 100, maxMs: 2_000 })
}

class InProcessTransport implements Transport {
  readonly #log: Log
  readonly #again: { readonly firstMs: number; readonly maxMs: number }
  readonly #consumers = new Map<string, LocalConsumer[]>()
  readonly #publishing = new Set<WaitingLimit>()
  #closed = false

  constructor(log: Log, again: { readonly firstMs: number; readonly maxMs: number }) {
    this.#log = log
    this.#again = again
  }

  async publish(
    dispatcher: string,
    message: DispatchMessage,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<PublishOutcome> {
    if (this.#closed) return { kind: 'refused', reason: 'the transport is closed' }
    if (options.signal?.aborted) return { kind: 'unknown', reason: 'given up before it was sent' }
    const limit = new WaitingLimit(options)
    this.#publishing.add(limit)
    try {
      return await this.#offerUntil(limit, dispatcher, message)
    } finally {
      this.#publishing.delete(limit)
      limit.clear()
    }
  }

  async consume(dispatcher: string, accept: Accept): Promise<Consumer> {
    if (!DISPATCHER_NAME.test(dispatcher)) throw new DispatcherNameError(dispatcher)
    if (this.#closed) throw new TransportClosedError()
    const consumer = new LocalConsumer(accept, () => this.#remove(dispatcher, consumer))
    this.#consumers.set(dispatcher, [...(this.#consumers.get(dispatcher) ?? []), consumer])
    return consumer
  }

  trouble(): string | undefined {
    return this.#closed ? 'the transport is closed' : undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const limit of this.#publishing) limit.end('the transport was closed')
    const consumers = [...this.#consumers.values()].flat()
    await Promise.all(consumers.map((consumer) => consumer.stop()))
  }

  async #offerUntil(
    limit: WaitingLimit,
    dispatcher: string,
    message: DispatchMessage,
  ): Promise<PublishOutcome> {
    for (let offers = 1; ; offers += 1) {
      const consumer = this.#takeTurn(dispatcher)
      if (consumer === undefined) return { kind: 'unroutable', reason: nobody(dispatcher) }
      const answer = await Promise.race([consumer.offer(message), limit.reached])
      if (answer.kind !== 'rejected') return answer
      if (answer.error instanceof UnreadableDispatchError) return refusal(answer.error)
      const { deliveryId } = message
      this.#log.warn({ err: answer.error, dispatcher, deliveryId, offers }, 'dispatch.rejected')
      await sleep(backoff(offers, this.#again, Math.random), limit.signal)
      if (limit.signal.aborted) return limit.timedOut ? refusal(answer.error) : limit.reached
    }
  }

  /** Consumers of one name take turns: the first takes this message and goes to the end of the line. */
  #takeTurn(dispatcher: string): LocalConsumer | undefined {
    const line = this.#consumers.get(dispatcher)
    const first = line?.shift()
    if (first !== undefined) line?.push(first)
    return first
  }

  #remove(dispatcher: string, consumer: LocalConsumer): void {
    const rest = (this.#consumers.get(dispatcher) ?? []).filter((other) => other !== consumer)
    if (rest.length === 0) this.#consumers.delete(dispatcher)
    else this.#consumers.set(dispatcher, rest)
  }
}

function refusal(error: unknown): PublishOutcome {
  const reason = error instanceof Error ? error.message : 'no reason given'
  return { kind: 'refused', reason: `its consumer refused it: ${reason}` }
}

function nobody(dispatcher: string): string {
  return `no dispatcher '${dispatcher}' is running here`
}
