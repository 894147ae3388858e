/**
 * The transport over RabbitMQ: each dispatcher's queue outlives both services. One connection publishes, and each
 * consumer has one of its own, so that none waits for another, and what one has lost is set up anew without the others.
 */
import type { Log } from '../../telemetry/log.ts'
import type { Intake } from '../intake.ts'
import type { TaskEvents } from '../task-events.ts'
import {
  type Consumer,
  DISPATCHER_NAME,
  type DispatchMessage,
  type PublishOutcome,
  type Transport,
} from '../transport.ts'
import { DispatcherNameError, TransportClosedError } from '../transport-errors.ts'
import { readBrokerUrl } from './broker-url.ts'
import { decode } from './message.ts'
import { Publisher } from './publisher.ts'
import { QueueConsumer } from './queue-consumer.ts'
import { type Consuming, rabbitmqIntake } from './rabbitmq-intake.ts'
import { rabbitmqTaskEvents } from './rabbitmq-task-events.ts'
import type { SetUp } from './session.ts'
import { type SupervisedOptions, SupervisedSession } from './supervised-session.ts'
import { TOPOLOGY } from './topology.ts'

export interface RabbitmqOptions {
  readonly url: string
  /** Whose connections these are, in the broker's list: `notifications`. */
  readonly name: string
  /** Messages in hand at once, for each consumer. Default 20. */
  readonly prefetch?: number
  /** The wait before a rejected message comes again. Default 250 ms, doubled up to 30 s. */
  readonly again?: { readonly firstMs: number; readonly maxMs: number }
  /** The wait before a lost connection is made anew. Default 200 ms, doubled up to 5 s. */
  readonly reconnect?: { readonly firstMs: number; readonly maxMs: number }
  /** Seconds, where the URL has none. A connection is lost after two to three of them in silence. Default 15. */
  readonly heartbeat?: number
  /** How long it may take to connect and to declare. Default 15 s. */
  readonly openTimeoutMs?: number
  /** For amqps: certificates of a private authority, PEM, instead of those that node trusts. */
  readonly ca?: string
}

/**
 * Begins to connect at once, and goes on trying until `close`: a broker that is away is trouble, not an error.
 * `consume` resolves when the first attempt has succeeded or failed.
 * @throws BrokerUrlError
 */
export function createRabbitmqTransport(needs: { log: Log }, options: RabbitmqOptions): Transport {
  return new RabbitmqTransport(needs.log, options)
}

/** A consumer, whatever it reads. */
type Stoppable = Pick<QueueConsumer<unknown>, 'trouble' | 'stop'>

class RabbitmqTransport implements Transport {
  readonly #log: Log
  readonly #options: RabbitmqOptions
  readonly #connecting: Omit<SupervisedOptions, 'name'>
  readonly #publisher: Publisher
  readonly #consumers = new Set<Stoppable>()
  readonly intake: Intake
  readonly taskEvents: TaskEvents
  #closed = false

  constructor(log: Log, options: RabbitmqOptions) {
    const { url, heartbeat = 15, openTimeoutMs = 15_000, ca } = options
    const { reconnect = { firstMs: 200, maxMs: 5_000 } } = options
    this.#log = log
    this.#options = options
    this.#connecting = {
      ...{ address: readBrokerUrl(url), heartbeat, openTimeoutMs, reconnect },
      ...(ca === undefined ? {} : { ca }),
    }
    this.#publisher = new Publisher((setUp) => this.#supervise('publishing', setUp))
    const consume = <M>(consuming: Consuming<M>) => this.#consume(consuming)
    this.intake = rabbitmqIntake({ publisher: this.#publisher, consume })
    this.taskEvents = rabbitmqTaskEvents({ publisher: this.#publisher, consume })
  }

  publish(
    dispatcher: string,
    message: DispatchMessage,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<PublishOutcome> {
    return this.#publisher.publish(dispatcher, message, options)
  }

  async consume(
    dispatcher: string,
    accept: (message: DispatchMessage) => Promise<void>,
  ): Promise<Consumer> {
    if (!DISPATCHER_NAME.test(dispatcher)) throw new DispatcherNameError(dispatcher)
    const queue = TOPOLOGY.dispatchesOf(dispatcher)
    return this.#consume({ queue, what: 'dispatch', read: decode, accept })
  }

  async #consume<M>(consuming: Consuming<M>): Promise<Consumer> {
    if (this.#closed) throw new TransportClosedError()
    const { again = { firstMs: 250, maxMs: 30_000 } } = this.#options
    const { queue, what, prefetch = this.#options.prefetch ?? 20 } = consuming
    const consumer: QueueConsumer<M> = new QueueConsumer<M>(
      {
        ...{ log: this.#log, read: consuming.read, accept: consuming.accept },
        supervise: (setUp) => this.#supervise(`consuming ${queue.name}`, setUp),
        onStop: () => this.#consumers.delete(consumer),
      },
      { queue, what, prefetch, again },
    )
    this.#consumers.add(consumer)
    await consumer.settled()
    if (this.#closed) throw new TransportClosedError()
    return consumer
  }

  publishTrouble(): string | undefined {
    return this.#publisher.trouble()
  }

  trouble(): string | undefined {
    if (this.#closed) return 'the transport is closed'
    const parts = [this.#publisher, ...this.#consumers]
    return parts.map((part) => part.trouble()).find((trouble) => trouble !== undefined)
  }

  async close(): Promise<void> {
    this.#closed = true
    const consumers = [...this.#consumers].map((consumer) => consumer.stop())
    await Promise.all([this.#publisher.close(), ...consumers])
  }

  #supervise(purpose: string, setUp: SetUp): SupervisedSession {
    const name = `${this.#options.name}: ${purpose}`
    return new SupervisedSession({ log: this.#log, setUp }, { ...this.#connecting, name })
  }
}
