/** What every transport must do with task events. Each adapter's test runs this, on a broker where nobody has listened yet. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { TaskEventMessage } from './task-events.ts'
import type { TransportUnderTest } from './transport.contract.ts'
import { RefusedMessageError } from './transport-errors.ts'

const TIMEOUT_MS = 30_000

export function taskEventsContract(adapter: string, open: () => Promise<TransportUnderTest>): void {
  describe(`${adapter}: the contract of task events`, () => {
    let under: TransportUnderTest
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.close())

    const publish = (message: TaskEventMessage) =>
      under.transport.taskEvents.publish(message, { timeoutMs: TIMEOUT_MS })

    test('while nobody has ever listened they are unroutable', async () => {
      expect(await publish(newMessage())).toMatchObject({
        kind: 'unroutable',
        reason: expect.stringMatching(/./),
      })
    })

    test('they arrive as they were sent', async () => {
      const seen: TaskEventMessage[] = []
      const consumer = await under.other.taskEvents.consume(async (message) => {
        seen.push(message)
      })
      const message = newMessage('{"specversion":"1.0", "data":"é\\u0000𝒳"}')
      expect(await publish(message)).toEqual({ kind: 'accepted' })
      await until(() => seen.length === 1)
      expect(seen).toEqual([message])
      await consumer.stop()
    })

    test('one that is rejected comes again until it is accepted', async () => {
      const seen: string[] = []
      const consumer = await under.other.taskEvents.consume(async ({ id }) => {
        seen.push(id)
        if (seen.length < 3) throw new Error('the database is away')
      })
      const message = newMessage()
      expect(await publish(message)).toEqual({ kind: 'accepted' })
      await until(() => seen.length === 3)
      expect(seen).toEqual([message.id, message.id, message.id])
      await consumer.stop()
    })

    test('one that nobody can read does not come again, and holds nobody up', async () => {
      const seen: string[] = []
      const consumer = await under.other.taskEvents.consume(async ({ id }) => {
        seen.push(id)
        if (seen.length === 1) throw new RefusedMessageError('no event')
      })
      const [unreadable, next] = [newMessage(), newMessage()]
      await publish(unreadable)
      await publish(next)
      await until(() => seen.includes(next.id))
      await consumer.stop()
      expect(seen).toEqual([unreadable.id, next.id])
    })

    test('several consumers share them, and none is lost among them', async () => {
      const seen: string[] = []
      const accept = async ({ id }: TaskEventMessage) => {
        seen.push(id)
      }
      const { taskEvents } = under.other
      const consumers = [await taskEvents.consume(accept), await taskEvents.consume(accept)]
      const sent = Array.from({ length: 50 }, () => newMessage())
      await Promise.all(sent.map(publish))
      await until(() => seen.length >= sent.length)
      expect([...seen].sort()).toEqual(sent.map(({ id }) => id).sort())
      await Promise.all(consumers.map((consumer) => consumer.stop()))
    })

    test('one that is given up before it began was not sent', async () => {
      const options = { timeoutMs: TIMEOUT_MS, signal: AbortSignal.abort() }
      const outcome = await under.transport.taskEvents.publish(newMessage(), options)
      expect(outcome.kind).toBe('away')
    })

    test('while it works there is no trouble, and after close there is', async () => {
      expect(under.transport.taskEvents.trouble()).toBeUndefined()
      const closed = await open()
      await closed.transport.close()
      expect(closed.transport.taskEvents.trouble()).toMatch(/closed/)
      const outcome = await closed.transport.taskEvents.publish(newMessage(), { timeoutMs: 1_000 })
      expect(outcome.kind).not.toBe('accepted')
      const consuming = closed.transport.taskEvents.consume(() => Promise.resolve())
      await expect(consuming).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' })
      await closed.close()
    })
  })
}

function newMessage(body = '{}'): TaskEventMessage {
  return { id: randomUUID(), state: 'done', body }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
