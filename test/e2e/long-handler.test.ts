/** The broker ends a consumer that holds a message for long (30 minutes): a handler may take longer than that. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { createLog, createRabbitmqTransport } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type Rabbitmq, startRabbitmq } from '../harness/index.ts'
import { runDispatcher } from '../pacifica/dispatcher.ts'
import { until } from '../pacifica/site.ts'

const PATIENCE = 300_000
const undo: (() => Promise<unknown>)[] = []
let broker: Rabbitmq

beforeAll(async () => {
  broker = await startRabbitmq({ own: true })
  undo.push(() => broker.stop())
  // For channels opened from now on: half a second instead of 30 minutes, looked at every 0.2 s instead of every minute.
  await broker.ctl(
    'eval',
    'application:set_env(rabbit, consumer_timeout, 500), application:set_env(rabbit, channel_tick_interval, 200).',
  )
}, PATIENCE)
afterAll(async () => {
  for (const step of undo.reverse()) await step()
}, PATIENCE)

test(
  'handlers that take longer than the broker lets a consumer hold a message lose nothing and run once',
  async () => {
    const log = createLog({ name: 'test', level: 'silent' })
    const transport = createRabbitmqTransport({ log }, { url: broker.url, name: 'test' })
    undo.push(() => transport.close())
    const database = await createTestDatabase()
    undo.push(() => database.drop())
    const dispatcher = await runDispatcher(transport, {
      DISPATCHER_DATABASE_URL: database.url,
      DISPATCHER_MODULE: join(import.meta.dirname, 'dispatchers/slow.mjs'),
    })
    undo.push(() => dispatcher.stop())
    const send = async (id: string) => {
      const body = JSON.stringify({ specversion: '1.0', type: 't', source: '/s', id })
      const message = { deliveryId: randomUUID(), replay: 0, digest: id.repeat(64), body }
      const sent = await transport.publish('slow', message, { timeoutMs: 60_000 })
      expect(sent).toEqual({ kind: 'accepted' })
    }
    for (const id of ['1', '2', '3']) await send(id)
    const done = (number: number) =>
      until(async () => {
        const tasks = await dispatcher.tasks()
        expect(tasks.map(({ taskStatus }) => taskStatus)).toEqual(Array(number).fill('200 OK'))
        return tasks
      }, 120_000)
    await done(3)
    await send('4')
    const tasks = await done(4)
    expect(tasks.map(({ eventID }) => eventID).sort()).toEqual(['1', '2', '3', '4'])
    expect(tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1])
  },
  PATIENCE,
)
