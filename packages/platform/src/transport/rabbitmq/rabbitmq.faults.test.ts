/** What may happen to a broker, on a real one: each test breaks it, and leaves it whole for the next. */
import { randomUUID } from 'node:crypto'
import { type Channel, connect } from 'amqplib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  authority,
  type Rabbitmq,
  startRabbitmq,
  startTcpProxy,
} from '../../../../../test/harness/index.ts'
import { type RecordedLog, recordLog } from '../../telemetry/recorded-log.ts'
import type { DispatchMessage, Transport } from '../transport.ts'
import { createRabbitmqTransport, type RabbitmqOptions } from './rabbitmq.ts'
import { TOPOLOGY } from './topology.ts'

let broker: Rabbitmq
const closing: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  broker = await startRabbitmq({ own: true })
})
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})
afterAll(() => broker.stop())

function open(options: Partial<RabbitmqOptions> = {}): Transport & { recorded: RecordedLog } {
  const recorded = recordLog()
  const transport = createRabbitmqTransport(
    { log: recorded.log },
    {
      ...{ url: broker.url, name: 'test', again: { firstMs: 2, maxMs: 5 } },
      ...{ reconnect: { firstMs: 20, maxMs: 200 }, ...options },
    },
  )
  closing.push(() => transport.close())
  return Object.assign(transport, { recorded })
}

const newName = () => `fault-${randomUUID()}`
const newMessage = (body = '{"id":"1"}'): DispatchMessage => ({
  ...{ deliveryId: randomUUID(), replay: 0, digest: 'ab'.repeat(32), body },
})
const timeoutMs = 30_000

function inboxOf() {
  const ids: string[] = []
  return {
    ids,
    accept: async ({ deliveryId }: DispatchMessage) => {
      ids.push(deliveryId)
    },
  }
}

async function until(holds: () => boolean, withinMs = 40_000) {
  const deadline = performance.now() + withinMs
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const untilTrouble = (transport: Transport, trouble: RegExp) =>
  until(() => trouble.test(transport.trouble() ?? ''))

/** Publishes until it is accepted: what the delivery worker does by its retries. */
async function insist(transport: Transport, name: string, message: DispatchMessage) {
  const deadline = performance.now() + 40_000
  for (;;) {
    const outcome = await transport.publish(name, message, { timeoutMs })
    if (outcome.kind === 'accepted') return
    if (performance.now() > deadline) throw new Error(`not accepted: ${JSON.stringify(outcome)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function asOperator<T>(act: (channel: Channel) => Promise<T>): Promise<T> {
  const connection = await connect(broker.url)
  try {
    return await act(await connection.createChannel())
  } finally {
    await connection.close()
  }
}

const queueOf = (name: string) => TOPOLOGY.dispatchesOf(name).name
const lostFor = ({ recorded }: { recorded: RecordedLog }) =>
  recorded.lines().flatMap(({ msg, reason }) => (msg === 'broker.lost' ? [String(reason)] : []))

test('a broker that is not there at the start is trouble, and all begins when it comes', async () => {
  await broker.halt('hard')
  const [publisher, receiver] = [open(), open()]
  const [name, message, inbox] = [newName(), newMessage(), inboxOf()]
  const outcome = await publisher.publish(name, message, { timeoutMs })
  expect(outcome).toMatchObject({ kind: 'away', reason: expect.stringMatching(/ECONNREFUSED/) })
  expect(publisher.publishTrouble()).toMatch(/ECONNREFUSED/)
  const consumer = await receiver.consume(name, inbox.accept)
  expect(consumer.consuming).toBe(false)
  await untilTrouble(publisher, /no connection to the broker at 127.0.0.1:\d+: .*REFUSED/)
  await broker.resume()
  await until(() => consumer.consuming)
  await until(() => [publisher, receiver].every((one) => one.trouble() === undefined))
  await insist(publisher, name, message)
  await until(() => inbox.ids.includes(message.deliveryId))
})

test.each(['soft', 'hard'] as const)(
  'a %s restart of the broker loses no message, and consumers come back',
  async (how) => {
    const transport = open()
    const [name, kept, later, inbox] = [newName(), newMessage(), newMessage(), inboxOf()]
    const declaring = await transport.consume(name, inbox.accept)
    await declaring.stop()
    await insist(transport, name, kept)
    const waiting = newName()
    const consumer = await transport.consume(waiting, inbox.accept)
    await new Promise((resolve) => setTimeout(resolve, LISTED_AFTER_MS))
    await broker.halt(how)
    await until(() => !consumer.consuming)
    expect(transport.trouble()).toMatch(/broker/)
    await broker.resume()
    await until(() => consumer.consuming && transport.trouble() === undefined)
    await insist(transport, waiting, later)
    await transport.consume(name, inbox.accept)
    await until(() => inbox.ids.length >= 2)
    expect(new Set(inbox.ids)).toEqual(new Set([kept.deliveryId, later.deliveryId]))
  },
)

test('connections closed by the broker are made anew; what was accepted meanwhile arrives', async () => {
  const transport = open()
  const [name, inbox] = [newName(), inboxOf()]
  const consumer = await transport.consume(name, inbox.accept)
  const accepted: string[] = []
  let stop = false
  const publishing = Array.from({ length: 20 }, async () => {
    while (!stop) {
      const message = newMessage()
      const { kind } = await transport.publish(name, message, { timeoutMs })
      if (kind === 'accepted') accepted.push(message.deliveryId)
      else await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })
  await until(() => accepted.length > 50)
  await broker.ctl('close_all_connections', 'maintenance')
  const then = accepted.length
  await until(() => accepted.length > then + 50 && consumer.consuming)
  stop = true
  await Promise.all(publishing)
  await until(() => accepted.every((id) => inbox.ids.includes(id)))
  expect(lostFor(transport)).toContainEqual(expect.stringMatching(/CONNECTION.FORCED.*maintenance/))
})

test('a channel that the broker closes over a deleted exchange is opened anew, the exchange declared', async () => {
  const transport = open()
  const [name, inbox] = [newName(), inboxOf()]
  await transport.consume(name, inbox.accept)
  await insist(transport, name, newMessage())
  await asOperator((channel) => channel.deleteExchange(TOPOLOGY.dispatches.name))
  const lost = await transport.publish(name, newMessage(), { timeoutMs })
  expect(lost).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/lost before/) })
  expect(lostFor(transport)).toContainEqual(expect.stringMatching(/NOT.FOUND - no exchange/))
  const unbound = await transport.publish(name, newMessage(), { timeoutMs })
  expect(unbound.kind).toBe('unroutable') // until the dispatcher binds its queue again
  await transport.consume(name, inbox.accept)
  await insist(transport, name, newMessage())
  await until(() => inbox.ids.length === 2)
})

test('a consumer whose channel alone is closed (406) comes back, and so does its message', async () => {
  await broker.ctl('eval', SHORT_CONSUMER_TIMEOUT)
  const transport = open()
  const [name, message, inbox] = [newName(), newMessage(), inboxOf()]
  let offers = 0
  const consumer = await transport.consume(name, async (given) => {
    offers += 1
    if (offers === 1) await new Promise((resolve) => setTimeout(resolve, 4_000))
    await inbox.accept(given)
  })
  await insist(transport, name, message)
  await until(() => inbox.ids.length >= 2)
  await broker.ctl('eval', USUAL_CONSUMER_TIMEOUT)
  expect(offers).toBe(2)
  expect(consumer.consuming).toBe(true)
  expect(lostFor(transport)).toEqual([expect.stringMatching(/406.*PRECONDITION.FAILED.*timeout/i)])
})

test('a queue with other arguments is trouble that names it, until it is gone', async () => {
  const [name, inbox] = [newName(), inboxOf()]
  await asOperator((channel) => channel.assertQueue(queueOf(name), { durable: true }))
  const transport = open()
  const consumer = await transport.consume(name, inbox.accept)
  expect(consumer.consuming).toBe(false)
  await untilTrouble(transport, new RegExp(`PRECONDITION.FAILED.*${queueOf(name)}`))
  await asOperator((channel) => channel.deleteQueue(queueOf(name)))
  await until(() => consumer.consuming && transport.trouble() === undefined)
})

test('a deleted queue is declared again by its consumer', async () => {
  const transport = open()
  const [name, message, inbox] = [newName(), newMessage(), inboxOf()]
  const consumer = await transport.consume(name, inbox.accept)
  await asOperator((channel) => channel.deleteQueue(queueOf(name)))
  await until(() => !consumer.consuming)
  await until(() => consumer.consuming)
  await insist(transport, name, message)
  await until(() => inbox.ids.includes(message.deliveryId))
  expect(lostFor(transport)).toContainEqual(expect.stringContaining(`was ${queueOf(name)} deleted`))
})

test('a broker that falls silent is given up after its heartbeats, and found again', async () => {
  const proxy = await startTcpProxy(Number(new URL(broker.url).port))
  closing.push(() => proxy.close())
  const transport = open({
    url: `amqp://127.0.0.1:${proxy.port}`,
    heartbeat: 1,
    openTimeoutMs: 1_500,
  })
  const [name, inbox] = [newName(), inboxOf()]
  const consumer = await transport.consume(name, inbox.accept)
  await insist(transport, name, newMessage())
  proxy.silent = true
  const inFlight = transport.publish(name, newMessage(), { timeoutMs })
  expect(await inFlight).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/lost/) })
  await until(() => !consumer.consuming, 10_000)
  expect(lostFor(transport)).toContainEqual(expect.stringMatching(/heartbeat/i))
  await until(() => /no answer within 1500 ms/.test(transport.trouble() ?? ''))
  const refused = await transport.publish(name, newMessage(), { timeoutMs })
  expect(refused.kind).toBe('away')
  proxy.silent = false
  await until(() => consumer.consuming && transport.trouble() === undefined)
  await insist(transport, name, newMessage())
})

test('a broker short of disk: unknown, then not sent at all; consumers go on', async () => {
  const transport = open()
  const [name, inbox] = [newName(), inboxOf()]
  const consumer = await transport.consume(name, inbox.accept)
  await insist(transport, name, newMessage())
  await broker.ctl('set_disk_free_limit', '900000GB')
  try {
    const first = await transport.publish(name, newMessage(), { timeoutMs: 3_000 })
    expect(first.kind).toBe('unknown')
    await untilTrouble(transport, /the broker takes no messages: .*disk/)
    const startedAt = performance.now()
    const second = await transport.publish(name, newMessage(), { timeoutMs })
    expect(second).toMatchObject({ kind: 'away', reason: expect.stringMatching(/disk/) })
    expect(transport.publishTrouble()).toMatch(/disk/)
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    expect(consumer.consuming).toBe(true)
  } finally {
    await broker.ctl('set_disk_free_limit', '1MB')
  }
  await until(() => transport.trouble() === undefined)
  await insist(transport, name, newMessage())
})

test('a blocked transport closes promptly', async () => {
  const transport = open()
  const name = newName()
  await transport.consume(name, inboxOf().accept)
  await broker.ctl('set_disk_free_limit', '900000GB')
  try {
    const waiting = transport.publish(name, newMessage(), { timeoutMs })
    await until(() => transport.trouble() !== undefined)
    const startedAt = performance.now()
    await transport.close()
    expect(performance.now() - startedAt).toBeLessThan(15_000)
    expect(await waiting).toMatchObject({
      kind: 'unknown',
      reason: expect.stringMatching(/closed/),
    })
  } finally {
    await broker.ctl('set_disk_free_limit', '1MB')
  }
})

test('a confirm that never comes is unknown in time, and holds up no other dispatcher', async () => {
  const transport = open()
  const [stuck, well, inbox] = [newName(), newName(), inboxOf()]
  for (const name of [stuck, well]) await transport.consume(name, inbox.accept)
  await insist(transport, stuck, newMessage())
  await broker.ctl('eval', `sys:suspend('%2F_${queueOf(stuck)}').`)
  try {
    const unanswered = transport.publish(stuck, newMessage(), { timeoutMs: 2_000 })
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect((await transport.publish(well, newMessage(), { timeoutMs })).kind).toBe('accepted')
    expect(await unanswered).toMatchObject({
      kind: 'unknown',
      reason: 'the broker did not confirm it within 2000 ms',
    })
    expect(lostFor(transport)).toEqual([])
    const alone = await transport.publish(stuck, newMessage(), { timeoutMs: 1_000 })
    expect(alone.kind).toBe('unknown')
    await until(() => lostFor(transport).length > 0)
    expect(lostFor(transport)).toEqual(['nothing was confirmed for 1000 ms'])
    expect((await transport.publish(well, newMessage(), { timeoutMs })).kind).toBe('accepted')
  } finally {
    await broker.ctl('eval', `sys:resume('%2F_${queueOf(stuck)}').`)
  }
  await insist(transport, stuck, newMessage())
})

test('a message too large for the broker is refused with its limit from the second time on', async () => {
  await broker.ctl('eval', 'application:set_env(rabbit, max_message_size, 10000).')
  try {
    const transport = open()
    const [name, inbox] = [newName(), inboxOf()]
    await transport.consume(name, inbox.accept)
    const large = newMessage(`{"data":"${'x'.repeat(20_000)}"}`)
    expect((await transport.publish(name, large, { timeoutMs })).kind).toBe('unknown')
    expect(await transport.publish(name, large, { timeoutMs })).toEqual({
      kind: 'refused',
      reason: expect.stringMatching(/has 20011 bytes, but the broker takes 10000/),
    })
    expect((await transport.publish(name, newMessage(), { timeoutMs })).kind).toBe('accepted')
  } finally {
    await broker.ctl('eval', 'application:set_env(rabbit, max_message_size, 134217728).')
  }
})

test('wrong credentials are trouble, in no log line and in no reason', async () => {
  const url = broker.url.replace('//', '//stranger:p4ssw0rd@')
  const transport = open({ url })
  const consumer = await transport.consume(newName(), inboxOf().accept)
  expect(consumer.consuming).toBe(false)
  await untilTrouble(transport, /ACCESS.REFUSED/)
  const outcome = await transport.publish(newName(), newMessage(), { timeoutMs })
  expect(outcome.kind).toBe('refused')
  expect(JSON.stringify([transport.trouble(), outcome]) + transport.recorded.text()).not.toMatch(
    /p4ssw0rd|stranger/,
  )
})

test('a virtual host that is not there is trouble until it is', async () => {
  const transport = open({ url: `${broker.url}/later` })
  const consumer = await transport.consume(newName(), inboxOf().accept)
  await untilTrouble(transport, /the virtual host 'later' does not exist/)
  await broker.ctl('add_vhost', 'later')
  await broker.ctl('set_permissions', '--vhost', 'later', 'guest', '.*', '.*', '.*')
  await until(() => consumer.consuming && transport.trouble() === undefined)
})

test('the permissions that the guide names are enough', async () => {
  await broker.ctl('add_user', 'site', 'p4ss:word')
  const ours = '^pacifica[.].*$'
  await broker.ctl('set_permissions', 'site', ours, '^(pacifica[.].*|amq[.]default)$', ours)
  const transport = open({ url: broker.url.replace('//', '//site:p4ss%3Aword@') })
  const [name, message, inbox] = [newName(), newMessage(), inboxOf()]
  await transport.consume(name, inbox.accept)
  expect((await transport.publish(name, message, { timeoutMs })).kind).toBe('accepted')
  await until(() => inbox.ids.includes(message.deliveryId))
})

test('over TLS the broker must show a certificate that is trusted', async () => {
  const ca = authority('broker test authority')
  const port = Number(new URL(broker.url).port)
  const proxy = await startTcpProxy(port, ca.certificateFor('localhost'))
  closing.push(() => proxy.close())
  const url = `amqps://localhost:${proxy.port}`
  const [trusting, wary] = [open({ url, ca: ca.pem }), open({ url })]
  const [name, message, inbox] = [newName(), newMessage(), inboxOf()]
  await trusting.consume(name, inbox.accept)
  await insist(trusting, name, message)
  await until(() => inbox.ids.includes(message.deliveryId))
  await wary.consume(name, inbox.accept)
  await untilTrouble(wary, /certificate/)
})

test('a closed transport leaves no socket and no timer behind, whatever state it was in', async () => {
  const inUse = () =>
    process.getActiveResourcesInfo().filter((kind) => /^(TCP|TLS|Timeout|GetAddr)/.test(kind))
  const before = inUse().length
  const silent = await startTcpProxy(1)
  silent.silent = true
  const states = [open(), open({ url: 'amqp://127.0.0.1:1' }), open()]
  await states[0]?.consume(newName(), inboxOf().accept)
  await states[1]?.consume(newName(), inboxOf().accept)
  await Promise.all(states.map((transport) => transport.close()))
  await silent.close()
  await until(() => inUse().length <= before, 5_000)
})

/** A quorum queue made just before a crash may not work after it: seen once in two trials, never after this long. */
const LISTED_AFTER_MS = 2_000

/** For channels opened from now on; usually it is 30 minutes, looked at once a minute. */
const SHORT_CONSUMER_TIMEOUT =
  'application:set_env(rabbit, consumer_timeout, 500), application:set_env(rabbit, channel_tick_interval, 200).'
const USUAL_CONSUMER_TIMEOUT =
  'application:set_env(rabbit, consumer_timeout, 1800000), application:set_env(rabbit, channel_tick_interval, 60000).'
