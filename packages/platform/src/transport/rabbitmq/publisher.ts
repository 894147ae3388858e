/** Publishing: one connection for it alone, since a broker in need blocks connections that publish. */
import type { ConfirmChannel, Options } from 'amqplib'
import { DISPATCHER_NAME, type DispatchMessage, type PublishOutcome } from '../transport.ts'
import { type Confirmation, Confirms } from './confirms.ts'
import { encode } from './message.ts'
import type { SetUp } from './session.ts'
import type { SupervisedSession } from './supervised-session.ts'
import { type LimitReached, TimeLimit } from './time-limit.ts'
import { declareExchange, TOPOLOGY } from './topology.ts'

/** A message, where it goes, and what it means when no queue takes it. */
export interface Outgoing {
  readonly to: { readonly exchange: string; readonly key: string }
  readonly content: Buffer
  /** `mandatory` among them. */
  readonly properties: Options.Publish
  readonly unroutable: string
}

export interface PublishLimits {
  readonly timeoutMs: number
  readonly signal?: AbortSignal
}

const TOO_LARGE = /message size \d+ is larger than configured max size (\d+)/

export class Publisher {
  readonly #session: SupervisedSession
  readonly #limits = new Set<TimeLimit>()
  #confirms: Confirms | undefined
  /** The broker closes the channel over a message that is too large, and says its limit: kept for one session. */
  #maxBytes = Number.POSITIVE_INFINITY
  #maxBytesSaid = Number.POSITIVE_INFINITY
  #closed = false

  constructor(supervise: (setUp: SetUp) => SupervisedSession) {
    this.#session = supervise((channel) => this.#setUp(channel))
  }

  trouble(): string | undefined {
    return this.#session.trouble()
  }

  async publish(
    dispatcher: string,
    message: DispatchMessage,
    options: PublishLimits,
  ): Promise<PublishOutcome> {
    if (!DISPATCHER_NAME.test(dispatcher))
      return { kind: 'unroutable', reason: `no dispatcher can be called '${dispatcher}'` }
    const to = { exchange: TOPOLOGY.dispatches.name, key: dispatcher }
    const unroutable = `the broker has no queue for a dispatcher '${dispatcher}'`
    return this.send({ to, ...encode(message), unroutable }, options)
  }

  /** Never rejects. */
  async send(outgoing: Outgoing, options: PublishLimits): Promise<PublishOutcome> {
    if (this.#closed) return { kind: 'away', reason: 'the transport is closed' }
    if (options.signal?.aborted) return unsent('given up', options.timeoutMs)
    const limit = new TimeLimit(options)
    this.#limits.add(limit)
    try {
      const reached = await Promise.race([this.#session.settled(), limit.reached])
      if (reached !== undefined) return unsent(reached, options.timeoutMs)
      return await this.#confirmed(outgoing, limit, options.timeoutMs)
    } finally {
      limit.clear()
      this.#limits.delete(limit)
    }
  }

  /** Whoever waits is answered at once: their messages may have arrived. */
  async close(): Promise<void> {
    this.#closed = true
    for (const limit of this.#limits) limit.end('closed')
    await this.#session.close()
  }

  async #setUp(channel: ConfirmChannel): Promise<void> {
    this.#maxBytes = this.#maxBytesSaid
    this.#maxBytesSaid = Number.POSITIVE_INFINITY
    channel.on('error', ({ message }: Error) => {
      this.#maxBytesSaid = Number(TOO_LARGE.exec(message)?.[1] ?? Number.POSITIVE_INFINITY)
    })
    for (const exchange of [TOPOLOGY.dispatches, TOPOLOGY.taskEvents])
      await declareExchange(channel, exchange)
    this.#confirms = new Confirms(channel)
  }

  async #confirmed(
    { to, content, properties, unroutable }: Outgoing,
    limit: TimeLimit,
    timeoutMs: number,
  ): Promise<PublishOutcome> {
    const trouble = this.#session.trouble()
    const confirms = this.#confirms
    if (trouble !== undefined || confirms === undefined)
      return { kind: 'away', reason: trouble ?? 'not connected to the broker' }
    if (content.length > this.#maxBytes)
      return { kind: 'refused', reason: tooLarge(content.length, this.#maxBytes) }
    const sentAt = performance.now()
    const confirming = confirms.publish(to, content, properties)
    const answer = await Promise.race([confirming, limit.reached])
    if (typeof answer === 'object') return outcomeOf(answer, unroutable)
    // Not one word about any message for that long, and not blocked: another connection may do better.
    if (answer === 'timeout' && confirms.heardAt < sentAt && this.#session.trouble() === undefined)
      this.#session.renew(confirms.channel, `nothing was confirmed for ${timeoutMs} ms`)
    return unconfirmed(answer, timeoutMs)
  }
}

function outcomeOf(confirmation: Confirmation, unroutable: string): PublishOutcome {
  switch (confirmation.kind) {
    case 'confirmed':
      return { kind: 'accepted' }
    case 'returned':
      return { kind: 'unroutable', reason: unroutable }
    case 'refused':
      return { kind: 'refused', reason: 'the broker refused it' }
    case 'lost':
      return {
        kind: 'unknown',
        reason: 'the connection was lost before the broker confirmed it',
      }
  }
}

function unsent(reached: LimitReached, timeoutMs: number): PublishOutcome {
  switch (reached) {
    case 'timeout':
      return { kind: 'away', reason: `no connection to the broker within ${timeoutMs} ms` }
    case 'closed':
      return { kind: 'away', reason: 'the transport was closed' }
    case 'given up':
      return { kind: 'away', reason: 'given up before it was sent' }
  }
}

function unconfirmed(reached: LimitReached, timeoutMs: number): PublishOutcome {
  switch (reached) {
    case 'timeout':
      return { kind: 'unknown', reason: `the broker did not confirm it within ${timeoutMs} ms` }
    case 'closed':
      return { kind: 'unknown', reason: 'the transport was closed before the broker confirmed it' }
    case 'given up':
      return { kind: 'unknown', reason: 'given up before the broker confirmed it' }
  }
}

function tooLarge(bytes: number, max: number): string {
  return `the message has ${bytes} bytes, but the broker takes ${max}: raise its max_message_size`
}
