/**
 * The embedded transport: both services in one process. It stores nothing, so `publish` resolves only when the
 * consumer has acknowledged the message: until then the row of whoever publishes is what keeps it.
 */
import type { Log } from '../telemetry/log.ts'
import type { Accept } from './local-consumer.ts'
import { LocalLine } from './local-line.ts'
import type { TaskEventMessage, TaskEvents } from './task-events.ts'
import {
  type Consumer,
  DISPATCHER_NAME,
  type DispatchMessage,
  type PublishOutcome,
  type Transport,
} from './transport.ts'
import { DispatcherNameError, TransportClosedError } from './transport-errors.ts'
import { WaitingLimit } from './waiting-limit.ts'

export interface InProcessOptions {
  /** The wait before a rejected message is offered again, doubled up to `maxMs`. Default 100 ms to 2 s. */
  readonly again?: { readonly firstMs: number; readonly maxMs: number }
}

/**
 * Outcomes: `accepted` when a consumer's `accept` resolved; `unroutable` when nobody consumes that name; `refused`
 * when it was rejected until time ran out, so nobody has it; `unknown` when a consumer was still at it at the timeout
 * (it may yet accept), and whenever the publisher's signal or `close` ended the waiting; `away` when either had come
 * before.
 */
export function createInProcessTransport(
  needs: { log: Log },
  options: InProcessOptions = {},
): Transport {
  return new InProcessTransport(needs.log, options.again ?? { firstMs: 100, maxMs: 2_000 })
}

class InProcessTransport implements Transport {
  readonly taskEvents: TaskEvents
  readonly #log: Log
  readonly #again: { readonly firstMs: number; readonly maxMs: number }
  readonly #dispatches = new Map<string, LocalLine<DispatchMessage>>()
  readonly #taskEvents: LocalLine<TaskEventMessage>
  readonly #publishing = new Set<WaitingLimit>()
  #closed = false

  constructor(log: Log, again: { readonly firstMs: number; readonly maxMs: number }) {
    this.#log = log
    this.#again = again
    this.#taskEvents = new LocalLine({
      again,
      nobody: 'nobody here listens to task events',
      onRejected: ({ id }, err, offers) => log.warn({ err, id, offers }, 'task_event.rejected'),
    })
    this.taskEvents = {
      publish: (message, options) =>
        this.#within(options, (limit) => this.#taskEvents.offerUntil(limit, message)),
      consume: async (accept) => {
        if (this.#closed) throw new TransportClosedError()
        return this.#taskEvents.add(accept)
      },
      trouble: () => this.trouble(),
    }
  }

  publish(
    dispatcher: string,
    message: DispatchMessage,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<PublishOutcome> {
    const line = this.#lineOf(dispatcher)
    return this.#within(options, (limit) => line.offerUntil(limit, message))
  }

  async consume(dispatcher: string, accept: Accept<DispatchMessage>): Promise<Consumer> {
    if (!DISPATCHER_NAME.test(dispatcher)) throw new DispatcherNameError(dispatcher)
    if (this.#closed) throw new TransportClosedError()
    const line = this.#lineOf(dispatcher)
    this.#dispatches.set(dispatcher, line)
    return line.add(accept)
  }

  publishTrouble(): string | undefined {
    return this.trouble()
  }

  trouble(): string | undefined {
    return this.#closed ? 'the transport is closed' : undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const limit of this.#publishing) limit.end('the transport was closed')
    const lines = [this.#taskEvents, ...this.#dispatches.values()]
    await Promise.all(lines.map((line) => line.stop()))
  }

  async #within(
    options: { timeoutMs: number; signal?: AbortSignal },
    offer: (limit: WaitingLimit) => Promise<PublishOutcome>,
  ): Promise<PublishOutcome> {
    if (this.#closed) return { kind: 'away', reason: 'the transport is closed' }
    if (options.signal?.aborted) return { kind: 'away', reason: 'given up before it was sent' }
    const limit = new WaitingLimit(options)
    this.#publishing.add(limit)
    try {
      return await offer(limit)
    } finally {
      this.#publishing.delete(limit)
      limit.clear()
    }
  }

  /** Kept only once somebody consumes it: anybody can make up names. */
  #lineOf(dispatcher: string): LocalLine<DispatchMessage> {
    const line = this.#dispatches.get(dispatcher)
    if (line !== undefined) return line
    return new LocalLine<DispatchMessage>({
      again: this.#again,
      nobody: `no dispatcher '${dispatcher}' is running here`,
      onRejected: ({ deliveryId }, err, offers) =>
        this.#log.warn({ err, dispatcher, deliveryId, offers }, 'dispatch.rejected'),
    })
  }
}
