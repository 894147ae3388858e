/**
 * Dispatches published and confirmed, and consumed and acknowledged, over a private broker: our transport, which
 * survives the broker, beside bare amqplib with the same messages, the same queue and as many in flight.
 */
import { randomUUID } from 'node:crypto'
import { createLog, createRabbitmqTransport, type Transport } from '@pacifica/platform'
import { type ConfirmChannel, type ConsumeMessage, connect } from 'amqplib'
import { startRabbitmq } from '../../test/harness/rabbitmq.ts'
import { numberText } from '../figures.ts'
import type { Measured, Row, RowOptions } from '../row.ts'

const DISPATCHER = 'bench'
const DIGEST = 'ab'.repeat(32)
/** What a dispatcher's consumer has in hand. */
const IN_HAND = 20
const BODY = JSON.stringify({ cloudEventsVersion: '0.1', data: 'x'.repeat(1_450) })

interface Side {
  /** Resolves when the broker has confirmed it. */
  publish(): Promise<void>
  /** Resolves when so many were received and acknowledged. */
  consume(count: number): Promise<void>
}

interface Sides {
  readonly ours: Side
  readonly peer: Side
}

/** Messages each second, of each side in each round. */
interface Rates {
  readonly ours: number[]
  readonly peer: number[]
}

export const row: Row = {
  name: 'rabbitmq',
  what: 'messages of 1.5 kB through a quorum queue',
  async run(options) {
    const broker = await startRabbitmq({ own: true })
    const log = createLog({ name: 'bench', level: 'warn' })
    const open = () => createRabbitmqTransport({ log }, { url: broker.url, name: 'bench' })
    const [publisher, receiver] = [open(), open()]
    const connection = await connect(broker.url)
    try {
      const declaring = await receiver.consume(DISPATCHER, async () => {})
      await declaring.stop()
      const bare = await connection.createConfirmChannel()
      await bare.prefetch(IN_HAND)
      return await measure({ ours: ourSide(publisher, receiver), peer: bareSide(bare) }, options)
    } finally {
      await Promise.all([publisher.close(), receiver.close(), connection.close()])
      await broker.stop()
    }
  },
}

async function measure(sides: Sides, { rounds, quick, print }: RowOptions): Promise<Measured[]> {
  const cases = [
    { inFlight: 1, count: quick ? 20 : 500 },
    { inFlight: 64, count: quick ? 100 : 10_000 },
    { inFlight: 256, count: quick ? 100 : 10_000 },
  ]
  const published = cases.map((): Rates => ({ ours: [], peer: [] }))
  const consumed: Rates = { ours: [], peer: [] }
  for (const side of ['ours', 'peer'] as const) {
    await publishAll(sides[side], 50, 8)
    await sides[side].consume(50)
  }
  for (let round = 0; round < rounds; round += 1)
    // In turn: whatever warms up or fills up favours neither.
    for (const side of round % 2 === 0
      ? (['ours', 'peer'] as const)
      : (['peer', 'ours'] as const)) {
      for (const [at, { inFlight, count }] of cases.entries())
        published[at]?.[side].push(await publishAll(sides[side], count, inFlight))
      const waiting = cases.reduce((sum, { count }) => sum + count, 0)
      consumed[side].push(await rateOf(waiting, () => sides[side].consume(waiting)))
      print(
        `round ${round + 1}, ${side}: ${numberText(published[1]?.[side].at(-1) ?? 0)}/s confirmed`,
      )
    }
  return [
    ...cases.map(({ inFlight }, at) =>
      beside(`published and confirmed, ${inFlight} in flight`, published[at]),
    ),
    beside(`consumed and acknowledged, ${IN_HAND} in hand`, consumed),
  ]
}

function beside(what: string, rates: Rates = { ours: [], peer: [] }): Measured {
  const peer = { name: 'bare amqplib', figures: rates.peer }
  return { what, unit: 'messages/s', ours: rates.ours, peer }
}

function publishAll({ publish }: Side, count: number, inFlight: number): Promise<number> {
  let left = count
  const one = async () => {
    while (left-- > 0) await publish()
  }
  return rateOf(count, () => Promise.all(Array.from({ length: inFlight }, one)))
}

async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
  const from = performance.now()
  await work()
  return Math.round((count / (performance.now() - from)) * 1_000)
}

function ourSide(publisher: Transport, receiver: Transport): Side {
  return {
    async publish() {
      const message = { deliveryId: randomUUID(), replay: 0, digest: DIGEST, body: BODY }
      const outcome = await publisher.publish(DISPATCHER, message, { timeoutMs: 30_000 })
      if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome))
    },
    async consume(count) {
      let left = count
      let stop: (() => Promise<void>) | undefined
      await new Promise<void>((resolve, reject) => {
        const accept = async () => {
          left -= 1
          if (left === 0) resolve()
        }
        receiver.consume(DISPATCHER, accept).then((consumer) => {
          stop = () => consumer.stop()
        }, reject)
      })
      await stop?.()
    },
  }
}

/** The same bytes and properties, without returns, time limits, reconnection or reading what came. */
function bareSide(channel: ConfirmChannel): Side {
  return {
    publish() {
      const deliveryId = randomUUID()
      const headers = {
        'pacifica-delivery': deliveryId,
        'pacifica-replay': 0,
        'pacifica-digest': DIGEST,
      }
      const properties = { contentType: 'application/cloudevents+json', persistent: true, headers }
      return new Promise((resolve, reject) => {
        const done = (error: unknown) => (error ? reject(error) : resolve())
        const all = { ...properties, mandatory: true, messageId: deliveryId }
        channel.publish('pacifica.dispatch', DISPATCHER, Buffer.from(BODY), all, done)
      })
    },
    async consume(count) {
      let left = count
      let tag = ''
      await new Promise<void>((resolve, reject) => {
        const take = (message: ConsumeMessage | null) => {
          if (message === null) return
          channel.ack(message)
          left -= 1
          if (left === 0) resolve()
        }
        channel.consume(`pacifica.dispatch.${DISPATCHER}`, take).then(({ consumerTag }) => {
          tag = consumerTag
        }, reject)
      })
      await channel.cancel(tag)
    },
  }
}
