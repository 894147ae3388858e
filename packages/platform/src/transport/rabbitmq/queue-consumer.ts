/**
 * Takes messages from a queue. A message is acknowledged when it was accepted; one that was rejected is
 * kept for a while and then given back, so that it comes again, to whichever consumer is next; one that nobody can
 * read becomes a dead letter at once.
 */
import type { ConfirmChannel, ConsumeMessage } from 'amqplib'
import { backoff } from '../../runtime/backoff.ts'
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Consumer } from '../transport.ts'
import { RefusedMessageError, UnreadableDispatchError } from '../transport-errors.ts'
import { offersBefore, type Read } from './message.ts'
import type { SetUp } from './session.ts'
import type { SupervisedSession } from './supervised-session.ts'
import { declareQueue, type Queue } from './topology.ts'

export interface QueueConsumerOptions {
  readonly queue: Queue
  /** In log lines, `dispatch.rejected`. */
  readonly what: string
  /** How many messages may be in hand at once. */
  readonly prefetch: number
  /** The wait before a rejected message is given back, doubled with each time up to `maxMs`. */
  readonly again: { readonly firstMs: number; readonly maxMs: number }
}

interface Needs<M> {
  readonly log: Log
  readonly read: (message: ConsumeMessage) => Read<M>
  readonly accept: (message: M) => Promise<void>
  readonly supervise: (setUp: SetUp) => SupervisedSession
  readonly onStop: () => void
}

/** A broker that does not answer to `cancel` is left without. */
const CANCEL_MS = 2_000

export class QueueConsumer<M> implements Consumer {
  readonly #needs: Needs<M>
  readonly #log: Log
  readonly #options: QueueConsumerOptions
  readonly #session: SupervisedSession
  readonly #stopping = new AbortController()
  readonly #inHand = new Set<Promise<void>>()
  #tag: string | undefined
  #stopped: Promise<void> | undefined

  constructor(needs: Needs<M>, options: QueueConsumerOptions) {
    this.#needs = needs
    this.#log = needs.log.child({ queue: options.queue.name })
    this.#options = options
    this.#session = needs.supervise((channel, lost) => this.#subscribe(channel, lost))
  }

  get consuming(): boolean {
    return !this.#stopping.signal.aborted && this.#session.channel !== undefined
  }

  trouble(): string | undefined {
    return this.#session.trouble()
  }

  /** Resolves when it consumes, or when its first attempt has failed: then it goes on trying. */
  settled(): Promise<void> {
    return this.#session.settled()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    this.#stopping.abort()
    await this.#cancel()
    await Promise.all(this.#inHand)
    await this.#session.close()
    this.#needs.onStop()
  }

  async #cancel(): Promise<void> {
    const { channel } = this.#session
    if (channel === undefined || this.#tag === undefined) return
    const answered = new AbortController()
    const cancelling = channel.cancel(this.#tag).then(
      () => answered.abort(),
      () => answered.abort(), // lost meanwhile
    )
    await Promise.race([cancelling, sleep(CANCEL_MS, answered.signal)])
    answered.abort()
  }

  async #subscribe(channel: ConfirmChannel, lost: (reason: string) => void): Promise<void> {
    const { queue, prefetch } = this.#options
    await declareQueue(channel, queue)
    await channel.prefetch(prefetch)
    const { consumerTag } = await channel.consume(queue.name, (message) => {
      if (message === null) lost(`the broker ended the consumer: was ${queue.name} deleted?`)
      else this.#take(channel, message)
    })
    this.#tag = consumerTag
  }

  #take(channel: ConfirmChannel, message: ConsumeMessage): void {
    const settling = this.#settle(channel, message).finally(() => this.#inHand.delete(settling))
    this.#inHand.add(settling)
  }

  /** Never rejects. */
  async #settle(channel: ConfirmChannel, message: ConsumeMessage): Promise<void> {
    if (this.#stopping.signal.aborted) return this.#answer(() => channel.nack(message, false, true))
    const found = this.#needs.read(message)
    if (found.kind === 'unreadable') return this.#bury(channel, message, found.reason)
    try {
      await this.#needs.accept(found.message)
    } catch (error) {
      if (isFinal(error)) return this.#bury(channel, message, error.message)
      return this.#giveBack(channel, message, error)
    }
    this.#answer(() => channel.ack(message))
  }

  #bury(channel: ConfirmChannel, message: ConsumeMessage, reason: string): void {
    const { messageId, appId } = message.properties
    const bytes = message.content.length
    this.#log.error({ messageId, appId, bytes, reason }, `${this.#options.what}.unreadable`)
    this.#answer(() => channel.nack(message, false, false))
  }

  async #giveBack(channel: ConfirmChannel, message: ConsumeMessage, err: unknown): Promise<void> {
    const offers = offersBefore(message) + 1
    const { messageId: deliveryId } = message.properties
    const last = offers > this.#limit
    const waitMs = last ? 0 : backoff(offers, this.#options.again, Math.random)
    this.#log[last ? 'error' : 'warn'](
      { err, deliveryId, offers, waitMs },
      `${this.#options.what}.${last ? 'dead' : 'rejected'}`,
    )
    await sleep(waitMs, this.#stopping.signal)
    this.#answer(() => channel.nack(message, false, true))
  }

  /** On a channel that was lost it is not answered: the message comes again by itself. */
  #answer(give: () => void): void {
    try {
      give()
    } catch (error) {
      this.#log.debug({ err: error }, `${this.#options.what}.not_acknowledged`)
    }
  }

  /** How often the broker offers a message after the first time. */
  get #limit(): number {
    return Number(this.#options.queue.arguments['x-delivery-limit'])
  }
}

function isFinal(error: unknown): error is Error {
  return error instanceof UnreadableDispatchError || error instanceof RefusedMessageError
}
