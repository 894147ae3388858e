import { type Channel, type ChannelModel, connect, type GetMessage } from 'amqplib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestVhost } from '../../../../../test/harness/index.ts'
import { recordLog } from '../../telemetry/recorded-log.ts'
import { taskEventsContract } from '../task-events.contract.ts'
import { RefusedMessageError } from '../transport-errors.ts'
import { createRabbitmqTransport } from './rabbitmq.ts'
import { TOPOLOGY } from './topology.ts'

let vhost: Awaited<ReturnType<typeof createTestVhost>>
let connection: ChannelModel
let channel: Channel

beforeAll(async () => {
  vhost = await createTestVhost()
  connection = await connect(vhost.url)
  channel = await connection.createChannel()
  await deleteOurs()
})
afterAll(async () => {
  await deleteOurs()
  await connection.close()
  await vhost.drop()
})

async function deleteOurs() {
  for (const { name } of [TOPOLOGY.taskEventsSeen, TOPOLOGY.dead]) await channel.deleteQueue(name)
  for (const { name } of [TOPOLOGY.taskEvents, TOPOLOGY.dispatches])
    await channel.deleteExchange(name)
}

function open(name: string) {
  const options = { url: vhost.url, again: { firstMs: 2, maxMs: 5 }, name }
  return createRabbitmqTransport({ log: recordLog().log }, options)
}

taskEventsContract('RabbitMQ', async () => {
  const [transport, other] = [open('one'), open('other')]
  return {
    transport,
    other,
    async close() {
      await Promise.all([transport.close(), other.close()])
    },
  }
})

async function nextOf(queue: string): Promise<GetMessage> {
  const deadline = performance.now() + 30_000
  for (;;) {
    const found = await channel.get(queue, { noAck: true })
    if (found) return found
    if (performance.now() > deadline) throw new Error(`nothing came to ${queue}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('others may bind a queue by the state, and read a CloudEvent from it', async () => {
  const transport = open('publishing')
  const consumer = await transport.taskEvents.consume(async () => {})
  const { queue } = await channel.assertQueue('', { exclusive: true })
  await channel.bindQueue(queue, TOPOLOGY.taskEvents.name, 'failed')
  for (const state of ['done', 'failed']) {
    const message = { id: `t.${state}`, state, body: `{"state":"${state}"}` }
    const outcome = await transport.taskEvents.publish(message, { timeoutMs: 30_000 })
    expect(outcome).toEqual({ kind: 'accepted' })
  }
  const { properties, content } = await nextOf(queue)
  expect(content.toString()).toBe('{"state":"failed"}')
  expect(properties).toMatchObject({
    messageId: 't.failed',
    contentType: 'application/cloudevents+json',
    deliveryMode: 2,
  })
  await consumer.stop()
  await transport.close()
})

test('what is no task event becomes a dead letter', async () => {
  const transport = open('reading')
  await channel.purgeQueue(TOPOLOGY.dead.name)
  const consumer = await transport.taskEvents.consume(async ({ body }) => {
    if (body === '5') throw new RefusedMessageError('5 is no event')
  })
  for (const content of [Buffer.from('5'), Buffer.from([0xff, 0xfe])]) {
    channel.publish(TOPOLOGY.taskEvents.name, 'done', content)
    expect((await nextOf(TOPOLOGY.dead.name)).content).toEqual(content)
  }
  await consumer.stop()
  await transport.close()
})
