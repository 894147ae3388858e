/** Of RabbitMQ: the queue that events are published to, and the queue of dead letters. */
import type { ConsumeMessage } from 'amqplib'
import type { BrokerMessage, DeadMessage, Intake } from '../intake.ts'
import type { Consumer } from '../transport.ts'
import type { Read } from './message.ts'
import type { Publisher } from './publisher.ts'
import { type Queue, TOPOLOGY } from './topology.ts'
import { deadMessage, sentOnceMore, wholeMessage } from './whole-message.ts'

/** A queue, how its messages are read, and who is told of them. */
export interface Consuming<M> {
  readonly queue: Queue
  /** In the log and in the broker's list of connections. */
  readonly what: string
  readonly read: (message: ConsumeMessage) => Read<M>
  readonly accept: (message: M) => Promise<void>
  /** How many may be in hand at once, where it is not for the transport's options to say. */
  readonly prefetch?: number
}

/** Dead letters may be many after an outage, each as large as an event, and nobody waits for them. */
const DEAD_IN_HAND = 4

export function rabbitmqIntake(needs: {
  readonly publisher: Publisher
  readonly consume: <M>(consuming: Consuming<M>) => Promise<Consumer>
}): Intake {
  const { publisher, consume } = needs
  return {
    received: (accept) =>
      consume<BrokerMessage>({
        ...{ queue: TOPOLOGY.received, what: 'intake', accept },
        read: (message) => ({ kind: 'read', message: wholeMessage(message) }),
      }),
    dead: (accept) =>
      consume<DeadMessage>({
        ...{ queue: TOPOLOGY.dead, what: 'dead_letter', accept, prefetch: DEAD_IN_HAND },
        read: (message) => ({ kind: 'read', message: deadMessage(message) }),
      }),
    resend: (queue, message, { letter, ...limits }) =>
      publisher.send(
        {
          to: { exchange: '', key: queue },
          ...sentOnceMore(message, letter),
          unroutable: `the broker has no queue '${queue}'`,
        },
        limits,
      ),
  }
}
