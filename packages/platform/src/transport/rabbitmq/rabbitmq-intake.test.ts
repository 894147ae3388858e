/** Events from the queue that anybody may publish to, and dead letters: whole, told apart, and sent back. */
import { randomUUID } from 'node:crypto'
import { type Channel, type ChannelModel, connect, type Options } from 'amqplib'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createTestVhost } from '../../../../../test/harness/index.ts'
import { recordLog } from '../../telemetry/recorded-log.ts'
import { createInProcessTransport } from '../in-process.ts'
import type { BrokerMessage, DeadMessage, Intake } from '../intake.ts'
import type { Transport } from '../transport.ts'
import { RefusedMessageError } from '../transport-errors.ts'
import { createRabbitmqTransport, type RabbitmqOptions } from './rabbitmq.ts'
import { TOPOLOGY } from './topology.ts'

vi.setConfig({ testTimeout: 180_000 })

const RECEIVE = TOPOLOGY.received.name
const DEAD = TOPOLOGY.dead.name
const timeoutMs = 60_000

let vhost: Awaited<ReturnType<typeof createTestVhost>>
let connection: ChannelModel
let channel: Channel
let recorded: ReturnType<typeof recordLog>
let transports: Transport[]

beforeAll(async () => {
  vhost = await createTestVhost()
  connection = await connect(vhost.url)
  channel = await connection.createChannel()
}, 300_000)
beforeEach(() => {
  recorded = recordLog()
  transports = []
})
afterEach(async () => {
  for (const transport of transports) await transport.close()
  await channel.deleteQueue(RECEIVE)
  await channel.deleteQueue(DEAD)
})
afterAll(async () => {
  await connection?.close()
  await vhost?.drop()
})

function open(options: Partial<RabbitmqOptions> = {}): Intake {
  const again = { firstMs: 1, maxMs: 5 }
  const needs = { log: recorded.log }
  const transport = createRabbitmqTransport(needs, {
    ...{ url: vhost.url, name: 'test', again },
    ...options,
  })
  transports.push(transport)
  if (transport.intake === undefined) throw new Error('RabbitMQ has an intake')
  return transport.intake
}

function inboxOf<M>() {
  const messages: M[] = []
  return { messages, accept: async (message: M) => void messages.push(message) }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 120_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const send = (body: string | Buffer, properties: Options.Publish = {}) =>
  channel.sendToQueue(RECEIVE, Buffer.from(body), { persistent: true, ...properties })

/** Two messages, of which the first is refused, and what is made of it. */
async function bury(intake: Intake, properties: Options.Publish = {}): Promise<DeadMessage> {
  const dead = inboxOf<DeadMessage>()
  await intake.received(async ({ body }) => {
    if (Buffer.from(body).toString() === 'bad') throw new RefusedMessageError('it is bad')
  })
  const consumer = await intake.dead(dead.accept)
  send('bad', properties)
  await until(() => dead.messages.length === 1)
  await consumer.stop()
  return dead.messages[0] as DeadMessage
}

test('a message that is published to pacifica.receive arrives whole', async () => {
  const inbox = inboxOf<BrokerMessage>()
  const consumer = await open().received(inbox.accept)
  expect(consumer.consuming).toBe(true)
  const headers = {
    'cloudEvents:id': 'é',
    n: 5,
    list: [1, 'a'],
    at: { '!': 'timestamp', value: 7 },
  }
  send(Buffer.from([0, 255, 10]), { contentType: 'a/b', messageId: 'm', timestamp: 9, headers })
  await until(() => inbox.messages.length === 1)
  expect(inbox.messages).toEqual([
    {
      body: Buffer.from([0, 255, 10]),
      properties: { contentType: 'a/b', messageId: 'm', timestamp: 9, deliveryMode: 2 },
      ...{ headers, exchange: '', routingKey: RECEIVE },
    },
  ])
})

test('what is refused becomes a dead letter at once, with a line that says why, and holds up nobody', async () => {
  const intake = open({ prefetch: 1 })
  const began = Date.now()
  const letter = await bury(intake, { messageId: 'theirs', headers: { a: 'b' } })
  expect(letter).toMatchObject({
    ...{ body: Buffer.from('bad'), properties: { messageId: 'theirs' }, headers: { a: 'b' } },
    ...{ exchange: '', routingKey: RECEIVE },
    death: { queue: RECEIVE, reason: 'rejected', count: 1 },
  })
  expect(Math.abs((letter.death?.last?.getTime() ?? 0) - began)).toBeLessThan(300_000)
  expect(letter.death?.first).toEqual(letter.death?.last)
  const refused = recorded.lines().filter(({ msg }) => msg === 'intake.unreadable')
  expect(refused).toMatchObject([{ level: 'error', messageId: 'theirs', reason: 'it is bad' }])
})

test('what could not be accepted comes again, and a dead letter has the same key each time', async () => {
  const intake = open()
  let refusals = 0
  await intake.received(() => Promise.reject(new RefusedMessageError('no')))
  send('one')
  const seen: DeadMessage[] = []
  await intake.dead(async (message) => {
    seen.push(message)
    refusals += 1
    if (refusals < 3) throw new Error('the database is away')
  })
  await until(() => seen.length === 3)
  expect(new Set(seen.map(({ key }) => key)).size).toBe(1)
  send('two')
  await until(() => seen.length === 4)
  expect(new Set(seen.map(({ key }) => key)).size).toBe(2)
})

test('more offers than a dispatch would have do not make a dead letter come again without a wait', async () => {
  const again = { firstMs: 60_000, maxMs: 60_000 }
  await channel.assertQueue(DEAD, { durable: true, arguments: TOPOLOGY.dead.arguments })
  channel.sendToQueue(DEAD, Buffer.from('x'), { headers: { 'x-delivery-count': 5_000 } })
  await open({ again }).dead(() => Promise.reject(new Error('the database is away')))
  const told = () => recorded.lines().filter(({ msg }) => /^dead_letter\./.test(msg ?? ''))
  await until(() => told().length > 0)
  expect(told()[0]).toMatchObject({ msg: 'dead_letter.rejected', waitMs: expect.any(Number) })
  expect(told()[0]?.waitMs).toBeGreaterThan(1_000)
})

test('a dead letter goes back to its queue as it was published, and is another one when it dies again', async () => {
  const intake = open()
  const properties = {
    messageId: 'm',
    contentType: 'a/b',
    appId: 'app',
    userId: 'guest',
    type: 't',
  }
  const spare = await channel.assertQueue('', { exclusive: true })
  const letter = await bury(intake, { ...properties, headers: { a: 'b', BCC: [spare.queue] } })
  const copies = await channel.purgeQueue(spare.queue)
  const id = randomUUID()
  const dead = inboxOf<DeadMessage>()
  await intake.dead(dead.accept)
  expect(await intake.resend(RECEIVE, letter, { letter: id, timeoutMs })).toEqual({
    kind: 'accepted',
  })
  await until(() => dead.messages.length === 1)
  const [again] = dead.messages
  const { userId: _, ...kept } = properties
  expect(again).toMatchObject({ body: letter.body, properties: kept })
  expect(again?.properties['userId']).toBeUndefined()
  expect(again?.headers).toMatchObject({ a: 'b', 'pacifica-resent': id })
  expect(again?.death).toMatchObject({ queue: RECEIVE, reason: 'rejected', count: 1 })
  expect(again?.key).not.toBe(letter.key)
  expect(copies.messageCount).toBe(1)
  expect((await channel.checkQueue(spare.queue)).messageCount).toBe(0)
})

test('a resend to a queue that is not there is unroutable', async () => {
  const intake = open()
  const letter = await bury(intake)
  const outcome = await intake.resend('pacifica.dispatch.gone', letter, { letter: 'x', timeoutMs })
  expect(outcome).toEqual({
    kind: 'unroutable',
    reason: "the broker has no queue 'pacifica.dispatch.gone'",
  })
})

test('what somebody put into pacifica.dead has died nowhere', async () => {
  const dead = inboxOf<DeadMessage>()
  await open().dead(dead.accept)
  const headers = { 'x-death': [{ queue: 7 }, null, 'x'] }
  channel.sendToQueue(DEAD, Buffer.from('hello'), { headers })
  await until(() => dead.messages.length === 1)
  expect(dead.messages[0]).toMatchObject({ death: undefined, exchange: '', routingKey: DEAD })
})

test('in one process there is no broker, and nothing is taken from one', () => {
  expect(createInProcessTransport({ log: recorded.log }).intake).toBeUndefined()
})
