/**
 * What every transport must do. Each adapter's test runs this suite; it knows nothing but the port, so it holds for a
 * broker that keeps messages as well as for one that hands them over.
 */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DISPATCHER_NAME, type DispatchMessage, type Transport } from './transport.ts'
import { UnreadableDispatchError } from './transport-errors.ts'

export interface TransportUnderTest {
  readonly transport: Transport
  /** A second one on the same broker, as another process has it. In process: the same. */
  readonly other: Transport
  /** Lets go of both, and of what they stand on. */
  close(): Promise<void>
}

const TIMEOUT_MS = 30_000

export function transportContract(adapter: string, open: () => Promise<TransportUnderTest>): void {
  describe(`${adapter}: the transport contract`, () => {
    let under: TransportUnderTest
    beforeAll(async () => {
      under = await open()
    })
    afterAll(() => under.close())

    const publish = (name: string, message: DispatchMessage) =>
      under.transport.publish(name, message, { timeoutMs: TIMEOUT_MS })

    test('a message arrives as it was sent', async () => {
      const name = newName()
      const inbox = createInbox()
      const consumer = await under.other.consume(name, inbox.accept)
      const message: DispatchMessage = {
        deliveryId: randomUUID(),
        replay: 3,
        digest: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15f1d2d2f924e986ac86fdf7b3',
        body: '{"cloudEventsVersion":"0.1", "eventID":"é\\u0000\\"𝒳", "data":[1e3,12345678901234567890]}',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      }
      expect(await publish(name, message)).toEqual({ kind: 'accepted' })
      await inbox.holds(1)
      expect(inbox.messages).toEqual([message])
      await consumer.stop()
    })

    test('a message without a trace arrives without one', async () => {
      const name = newName()
      const inbox = createInbox()
      const consumer = await under.other.consume(name, inbox.accept)
      const message = newMessage()
      await publish(name, message)
      await inbox.holds(1)
      expect(inbox.messages).toEqual([message])
      await consumer.stop()
    })

    test('for a dispatcher that never was, a message is unroutable', async () => {
      expect(await publish(newName(), newMessage())).toMatchObject({
        kind: 'unroutable',
        reason: expect.stringMatching(/./),
      })
    })

    test('a message for one dispatcher does not reach another', async () => {
      const [one, two] = [newName(), newName()]
      const [inboxOne, inboxTwo] = [createInbox(), createInbox()]
      const consumers = [
        await under.other.consume(one, inboxOne.accept),
        await under.other.consume(two, inboxTwo.accept),
      ]
      await publish(one, newMessage())
      await publish(two, newMessage())
      await Promise.all([inboxOne.holds(1), inboxTwo.holds(1)])
      expect(inboxOne.messages).toHaveLength(1)
      expect(inboxTwo.messages).toHaveLength(1)
      await Promise.all(consumers.map((consumer) => consumer.stop()))
    })

    test('a message whose consumer rejects it comes again until it is accepted', async () => {
      const name = newName()
      const seen: string[] = []
      const inbox = createInbox()
      const consumer = await under.other.consume(name, async (message) => {
        seen.push(message.deliveryId)
        if (seen.length < 3) throw new Error('the database is away')
        await inbox.accept(message)
      })
      const message = newMessage()
      expect(await publish(name, message)).toEqual({ kind: 'accepted' })
      await inbox.holds(1)
      expect(seen).toEqual(Array(3).fill(message.deliveryId))
      await consumer.stop()
    })

    test('a message that nobody can read does not come again, and holds nobody up', async () => {
      const name = newName()
      const seen: string[] = []
      const consumer = await under.other.consume(name, async ({ deliveryId }) => {
        seen.push(deliveryId)
        if (seen.length === 1) throw new UnreadableDispatchError('no event')
      })
      const [unreadable, next] = [newMessage(), newMessage()]
      await publish(name, unreadable)
      await publish(name, next)
      await until(() => seen.length >= 2)
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(seen).toEqual([unreadable.deliveryId, next.deliveryId])
      await consumer.stop()
    })

    test('several consumers share the messages: each message goes to one of them, and each gets some', async () => {
      const name = newName()
      const inboxes = [createInbox(), createInbox()]
      const consumers = await Promise.all(
        inboxes.map((inbox) => under.other.consume(name, inbox.accept)),
      )
      const sent = Array.from({ length: 20 }, newMessage)
      for (const message of sent) await publish(name, message)
      const arrived = () => inboxes.flatMap(({ messages }) => messages.map((m) => m.deliveryId))
      await until(() => arrived().length >= sent.length)
      expect(arrived().sort()).toEqual(sent.map((m) => m.deliveryId).sort())
      expect(inboxes.map(({ messages }) => messages.length > 0)).toEqual([true, true])
      await Promise.all(consumers.map((consumer) => consumer.stop()))
    })

    test('many messages at once all arrive', async () => {
      const name = newName()
      const inbox = createInbox()
      const consumer = await under.other.consume(name, inbox.accept)
      const sent = Array.from({ length: 200 }, newMessage)
      const outcomes = await Promise.all(sent.map((message) => publish(name, message)))
      expect(outcomes.every(({ kind }) => kind === 'accepted')).toBe(true)
      await inbox.holds(sent.length)
      const arrived = new Set(inbox.messages.map((message) => message.deliveryId))
      expect(arrived.size).toBe(sent.length)
      await consumer.stop()
    })

    test('a stopped consumer finishes what it has in hand and takes nothing more', async () => {
      const name = newName()
      let finish: () => void = () => {}
      let [begun, finished, taken] = [false, false, 0]
      const consumer = await under.other.consume(name, async () => {
        taken += 1
        begun = true
        await new Promise<void>((resolve) => {
          finish = resolve
        })
        finished = true
      })
      expect(consumer.consuming).toBe(true)
      const first = publish(name, newMessage())
      await until(() => begun)
      const stopped = consumer.stop()
      expect(consumer.consuming).toBe(false)
      finish()
      await stopped
      expect(finished).toBe(true)
      expect(await first).toEqual({ kind: 'accepted' })
      await under.transport.publish(name, newMessage(), { timeoutMs: 500 })
      expect(taken).toBe(1)
    })

    test('a publish that is given up before it began was not sent, and never rejects', async () => {
      const name = newName()
      const inbox = createInbox()
      const consumer = await under.other.consume(name, inbox.accept)
      const [givenUp, next] = [newMessage(), newMessage()]
      const signal = AbortSignal.abort()
      const outcome = await under.transport.publish(name, givenUp, {
        timeoutMs: TIMEOUT_MS,
        signal,
      })
      expect(outcome).toMatchObject({ kind: 'away', reason: expect.stringMatching(/before/) })
      await publish(name, next)
      await inbox.holds(1)
      expect(inbox.messages).toEqual([next])
      await consumer.stop()
    })

    test('a name that no dispatcher can have is unroutable to publish and an error to consume', async () => {
      for (const name of ['', 'Upper', 'a.b', '#', 'a'.repeat(65)]) {
        expect((await publish(name, newMessage())).kind).toBe('unroutable')
        const consuming = under.other.consume(name, () => Promise.resolve())
        await expect(consuming).rejects.toMatchObject({ code: 'DISPATCHER_NAME' })
      }
    })

    test('while it works there is no trouble', () => {
      expect(under.transport.trouble()).toBeUndefined()
      expect(under.transport.publishTrouble()).toBeUndefined()
    })

    test('after close it says so and accepts nothing', async () => {
      const closed = await open()
      await closed.transport.close()
      expect(closed.transport.trouble()).toMatch(/closed/)
      expect(closed.transport.publishTrouble()).toMatch(/closed/)
      const outcome = await closed.transport.publish(newName(), newMessage(), { timeoutMs: 1_000 })
      expect(outcome).toMatchObject({ kind: 'away', reason: expect.stringMatching(/closed/) })
      const consuming = closed.transport.consume(newName(), () => Promise.resolve())
      await expect(consuming).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' })
      await closed.transport.close()
      await closed.close()
    })
  })
}

function newName(): string {
  const name = `contract-${randomUUID()}`
  expect(name).toMatch(DISPATCHER_NAME)
  return name
}

function newMessage(): DispatchMessage {
  return { deliveryId: randomUUID(), replay: 0, digest: 'ab'.repeat(32), body: '{"id":"1"}' }
}

function createInbox() {
  const messages: DispatchMessage[] = []
  return {
    messages,
    accept: async (message: DispatchMessage) => {
      messages.push(message)
    },
    holds: (count: number) => until(() => messages.length >= count),
  }
}

async function until(holds: () => boolean): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  while (!holds()) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
