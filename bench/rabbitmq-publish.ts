/**
 * How many dispatches a second are published and confirmed, and consumed and acknowledged, over a private broker:
 * `node test/harness/run-typescript.mjs bench/rabbitmq-publish.ts`. Prints; proves nothing by itself.
 */
import { randomUUID } from 'node:crypto'
import { createLog, createRabbitmqTransport } from '@pacifica/platform'
import { startRabbitmq } from '../test/harness/rabbitmq.ts'

const MESSAGES = 20_000
const IN_FLIGHT = [1, 16, 64, 256]
const body = JSON.stringify({ cloudEventsVersion: '0.1', data: 'x'.repeat(1_450) })

const broker = await startRabbitmq()
const log = createLog({ name: 'bench', level: 'warn' })
const open = () => createRabbitmqTransport({ log }, { url: broker.url, name: 'bench' })
const [publisher, receiver] = [open(), open()]
const declaring = await receiver.consume('bench', async () => {})
await declaring.stop()

async function publishAll(count: number, inFlight: number): Promise<number> {
  let left = count
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (left-- > 0) {
        const message = { deliveryId: randomUUID(), replay: 0, digest: 'ab'.repeat(32), body }
        const outcome = await publisher.publish('bench', message, { timeoutMs: 30_000 })
        if (outcome.kind !== 'accepted') throw new Error(JSON.stringify(outcome))
      }
    }),
  )
  return perSecond(count, startedAt)
}

function perSecond(count: number, startedAt: number): number {
  return Math.round((count / (performance.now() - startedAt)) * 1_000)
}

await publishAll(1_000, 64)
let waiting = 1_000
for (const inFlight of IN_FLIGHT) {
  const count = inFlight === 1 ? MESSAGES / 20 : MESSAGES
  waiting += count
  const rate = await publishAll(count, inFlight)
  console.log(`published and confirmed, ${inFlight} in flight, ${body.length} bytes: ${rate}/s`)
}

let consumed = 0
const startedAt = performance.now()
await new Promise<void>((resolve) => {
  const accept = async () => {
    consumed += 1
    if (consumed === waiting) resolve()
  }
  receiver.consume('bench', accept).catch((error) => console.error(error))
})
console.log(`consumed and acknowledged, 20 in hand: ${perSecond(consumed, startedAt)}/s`)

await Promise.all([publisher.close(), receiver.close()])
await broker.stop()
