/**
 * What exists in the broker, in one table. Whoever declares one of these with other arguments gets a 406, which closes
 * the channel: to change an argument, make a new name. All are valid on RabbitMQ 3.10 and 4.x.
 */
import type { Channel } from 'amqplib'

/**
 * How often a message may come back before it is a dead letter. Each rejection counts, and each consumer that ends with
 * it in hand; at the longest wait between two offers, 30 s, this is more than 8 hours without a database. Stated,
 * because 4.x has 20 where nothing is said, which a few kills would use up.
 */
export const DELIVERY_LIMIT = 1_000

/** Looking at a dead letter and putting it back counts as a delivery: this many looks, which 3.10 takes for a number. */
const DEAD_DELIVERY_LIMIT = 1_000_000_000

export const DEAD_QUEUE = 'pacifica.dead'

/** A message leaves its queue only when the queue of dead letters has it. */
const worksOff = {
  'x-queue-type': 'quorum',
  'x-delivery-limit': DELIVERY_LIMIT,
  'x-overflow': 'reject-publish', // at-least-once needs it
  'x-dead-letter-strategy': 'at-least-once',
  'x-dead-letter-exchange': '',
  'x-dead-letter-routing-key': DEAD_QUEUE,
}

export interface Exchange {
  readonly name: string
  readonly type: 'direct' | 'topic'
}

export interface Queue {
  readonly name: string
  readonly arguments: Readonly<Record<string, string | number>>
  readonly binding?: { readonly exchange: Exchange; readonly key: string }
}

/** Key: the dispatcher's name. Declared by both services. */
const dispatches: Exchange = { name: 'pacifica.dispatch', type: 'direct' }
/** Key: the state of the task. Declared by both services. */
const taskEvents: Exchange = { name: 'pacifica.tasks', type: 'topic' }

export const TOPOLOGY = {
  dispatches,
  taskEvents,

  /** Declared by that dispatcher alone: no such queue, and a message for it is unroutable. */
  dispatchesOf: (dispatcher: string): Queue => ({
    name: `pacifica.dispatch.${dispatcher}`,
    arguments: worksOff,
    binding: { exchange: dispatches, key: dispatcher },
  }),

  /** Declared by notifications. */
  taskEventsSeen: {
    name: 'pacifica.notifications.tasks',
    arguments: worksOff,
    binding: { exchange: taskEvents, key: '#' },
  } satisfies Queue,

  /** An event published here is treated like POST /receive. Declared by notifications. */
  received: { name: 'pacifica.receive', arguments: worksOff } satisfies Queue,

  /** Dead letters of all. Declared by whoever declares a queue. */
  dead: {
    name: DEAD_QUEUE,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DEAD_DELIVERY_LIMIT },
  } satisfies Queue,
} as const

export async function declareExchange(channel: Channel, exchange: Exchange): Promise<void> {
  await channel.assertExchange(exchange.name, exchange.type, { durable: true })
}

/** With all that it needs: its exchange, and the queue of dead letters before the first of them. */
export async function declareQueue(channel: Channel, queue: Queue): Promise<void> {
  for (const { name, arguments: its } of [TOPOLOGY.dead, queue])
    await channel.assertQueue(name, { durable: true, arguments: its })
  if (queue.binding === undefined) return
  const { exchange, key } = queue.binding
  await declareExchange(channel, exchange)
  await channel.bindQueue(queue.name, exchange.name, key)
}
