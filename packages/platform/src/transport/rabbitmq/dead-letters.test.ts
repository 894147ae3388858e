/** What becomes of messages that are rejected, and of those that nobody can read. */
import { randomUUID } from 'node:crypto'
import { type Channel, type ChannelModel, connect, type GetMessage, type Options } from 'amqplib'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Rabbitmq, startRabbitmq } from '../../../../../test/harness/index.ts'
import { recordLog } from '../../telemetry/recorded-log.ts'
import type { DispatchMessage, Transport } from '../transport.ts'
import { createRabbitmqTransport, type RabbitmqOptions } from './rabbitmq.ts'
import { DELIVERY_LIMIT, TOPOLOGY } from './topology.ts'

let broker: Rabbitmq
let connection: ChannelModel
let channel: Channel
let transport: Transport
let name: string
let recorded: ReturnType<typeof recordLog>

beforeAll(async () => {
  broker = await startRabbitmq({ own: true }) // its dead letters are counted
  connection = await connect(broker.url)
  channel = await connection.createChannel()
})
beforeEach(() => {
  name = `dead-${randomUUID()}`
})
afterEach(async () => {
  await transport.close()
  await channel.deleteQueue(TOPOLOGY.dispatchesOf(name).name)
  await channel.deleteQueue(TOPOLOGY.dead.name)
})
afterAll(async () => {
  await connection.close()
  await broker.stop()
})

function open(options: Partial<RabbitmqOptions> = {}): void {
  recorded = recordLog()
  const again = { firstMs: 1, maxMs: 1 }
  const needs = { log: recorded.log }
  transport = createRabbitmqTransport(needs, { url: broker.url, name: 'test', again, ...options })
}

const newMessage = (): DispatchMessage => ({
  ...{ deliveryId: randomUUID(), replay: 0, digest: 'ab'.repeat(32), body: '{"id":"1"}' },
})
const publish = (message: DispatchMessage) =>
  transport.publish(name, message, { timeoutMs: 30_000 })
const logged = (event: string) => recorded.lines().filter(({ msg }) => msg === event)

function foreign(body: string, properties: Options.Publish): void {
  channel.publish(TOPOLOGY.dispatches.name, name, Buffer.from(body), properties)
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 50_000
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function deadLetter(): Promise<GetMessage> {
  let found: GetMessage | false = false
  const deadline = performance.now() + 30_000
  while (!found) {
    if (performance.now() > deadline) throw new Error('no dead letter came')
    await new Promise((resolve) => setTimeout(resolve, 20))
    found = await channel.get(TOPOLOGY.dead.name, { noAck: true })
  }
  return found
}

test('a message that is always rejected becomes a dead letter, whole, and others pass by it meanwhile', async () => {
  open()
  let offers = 0
  const seen: string[] = []
  const poison = newMessage()
  await transport.consume(name, async ({ deliveryId }) => {
    if (deliveryId !== poison.deliveryId) return void seen.push(deliveryId)
    offers += 1
    throw new Error('no')
  })
  await publish(poison)
  await until(() => offers > 1)
  const next = newMessage()
  await publish(next)
  await until(() => seen.includes(next.deliveryId))
  expect(offers).toBeLessThan(DELIVERY_LIMIT)
  const dead = await deadLetter()
  expect(offers).toBe(DELIVERY_LIMIT + 1)
  expect(dead.content.toString()).toBe(poison.body)
  expect(dead.properties.messageId).toBe(poison.deliveryId)
  expect(dead.properties.headers).toMatchObject({
    'pacifica-delivery': poison.deliveryId,
    'pacifica-replay': 0,
    'x-death': [{ reason: 'delivery_limit', queue: TOPOLOGY.dispatchesOf(name).name }],
  })
  expect(logged('dispatch.dead')).toMatchObject([{ deliveryId: poison.deliveryId }])
})

test.each([
  ['no headers', 'hello', {}, /pacifica-delivery/],
  ['headers of somebody else', '{}', { headers: { 'pacifica-delivery': 'x' } }, /no uuid/],
  ['nothing at all', '', {}, /pacifica-delivery/],
])(
  'a foreign message with %s is a dead letter at once, with a log line, and blocks nobody',
  async (_what, body, properties, reason) => {
    open({ prefetch: 1 })
    const seen: string[] = []
    await transport.consume(name, async ({ deliveryId }) => void seen.push(deliveryId))
    foreign(body, { ...properties, messageId: 'theirs' })
    const dead = await deadLetter()
    expect(dead.content.toString()).toBe(body)
    const after = newMessage()
    expect((await publish(after)).kind).toBe('accepted')
    await until(() => seen.includes(after.deliveryId))
    expect(seen).toEqual([after.deliveryId])
    const [line] = logged('dispatch.unreadable')
    expect(line).toMatchObject({ level: 'error', messageId: 'theirs' })
    expect(line).toMatchObject({ reason: expect.stringMatching(reason) })
  },
)

test('a rejected message waits longer each time before it comes again', async () => {
  open({ again: { firstMs: 100, maxMs: 400 } })
  const at: number[] = []
  await transport.consume(name, async () => {
    at.push(performance.now())
    if (at.length < 5) throw new Error('the database is away')
  })
  await publish(newMessage())
  await until(() => at.length === 5)
  const waits = at.slice(1).map((time, index) => time - (at[index] ?? 0))
  for (const [index, atLeast] of [90, 180, 360, 360].entries())
    expect(waits[index]).toBeGreaterThanOrEqual(atLeast - 5)
  expect(logged('dispatch.rejected')).toHaveLength(4)
})

test('no more messages are in hand at once than may be', async () => {
  open({ prefetch: 3 })
  let inHand = 0
  let most = 0
  let done = 0
  await transport.consume(name, async () => {
    inHand += 1
    most = Math.max(most, inHand)
    await new Promise((resolve) => setTimeout(resolve, 20))
    inHand -= 1
    done += 1
  })
  await Promise.all(Array.from({ length: 12 }, () => publish(newMessage())))
  await until(() => done === 12)
  expect(most).toBe(3)
})

test('a consumer that stops gives back at once what it was waiting with, to the next one', async () => {
  open({ again: { firstMs: 60_000, maxMs: 60_000 } })
  let rejected = false
  const first = await transport.consume(name, async () => {
    rejected = true
    throw new Error('no')
  })
  const message = newMessage()
  await publish(message)
  await until(() => rejected)
  await first.stop()
  const seen: string[] = []
  await transport.consume(name, async ({ deliveryId }) => void seen.push(deliveryId))
  await until(() => seen.includes(message.deliveryId))
})
