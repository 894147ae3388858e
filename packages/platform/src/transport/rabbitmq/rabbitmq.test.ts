import { connect } from 'amqplib'
import { afterAll, beforeAll } from 'vitest'
import { createTestVhost } from '../../../../../test/harness/index.ts'
import { recordLog } from '../../telemetry/recorded-log.ts'
import { transportContract } from '../transport.contract.ts'
import type { Transport } from '../transport.ts'
import { createRabbitmqTransport } from './rabbitmq.ts'
import { TOPOLOGY } from './topology.ts'

let vhost: Awaited<ReturnType<typeof createTestVhost>>
const consumed = new Set<string>()

beforeAll(async () => {
  vhost = await createTestVhost()
})
afterAll(async () => {
  await deleteOurs()
  await vhost.drop()
})

transportContract('RabbitMQ', async () => {
  const options = { url: vhost.url, again: { firstMs: 2, maxMs: 5 } }
  const { log } = recordLog()
  const transport = createRabbitmqTransport({ log }, { ...options, name: 'one' })
  const other = recordNames(createRabbitmqTransport({ log }, { ...options, name: 'other' }))
  return {
    transport,
    other,
    async close() {
      await Promise.all([transport.close(), other.close()])
    },
  }
})

function recordNames(transport: Transport): Transport {
  return {
    taskEvents: transport.taskEvents,
    publish: (...args) => transport.publish(...args),
    publishTrouble: () => transport.publishTrouble(),
    trouble: () => transport.trouble(),
    close: () => transport.close(),
    consume(dispatcher, accept) {
      consumed.add(dispatcher)
      return transport.consume(dispatcher, accept)
    },
  }
}

/** On a broker that stays, nothing of ours does. */
async function deleteOurs() {
  const connection = await connect(vhost.url)
  const channel = await connection.createChannel()
  for (const name of consumed) await channel.deleteQueue(TOPOLOGY.dispatchesOf(name).name)
  await channel.deleteQueue(TOPOLOGY.dead.name)
  for (const { name } of [TOPOLOGY.dispatches, TOPOLOGY.taskEvents])
    await channel.deleteExchange(name)
  await connection.close()
}
