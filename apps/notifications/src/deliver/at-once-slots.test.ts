/** The slots of deliveries that are claimed as they are stored: who gets how many, and that none is lost. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createSlots } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { atOnce, NO_ROOM } from './at-once.ts'
import type { ClaimedDelivery } from './claim.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

const NO_SQL = { query: async () => [] }

function set(size: number) {
  const errors: unknown[] = []
  const slots = createSlots(size, (error) => errors.push(error))
  const started: string[] = []
  const stop = new AbortController()
  const sending = atOnce(
    {
      slots,
      delivering: {
        step: async () => false,
        start: (claimed) => started.push(...claimed.map(({ uuid }) => uuid)),
      },
      ...{ inTurn: (claim) => claim(NO_SQL, 0), now: () => performance.now() },
      stopping: stop.signal,
    },
    (limit) => ({ ...NO_ROOM, limit }),
  )
  return { slots, started, stop, ...sending }
}
const delivery = (uuid: string) => ({ uuid }) as ClaimedDelivery

test('an event takes a slot for each delivery, but none of the quarter that is left to what is due', async () => {
  const { slots, takeSlots } = set(8)
  expect(await takeSlots(0)).toBe(0)
  expect(await takeSlots(2)).toBe(2)
  expect(await takeSlots(100)).toBe(4)
  expect(slots.available).toBe(2)
})

test('an event for many takes what there is when its turn comes, and holds up nobody', async () => {
  const { slots, takeSlots, giveBack } = set(8)
  slots.take(7)
  const [many, one] = [takeSlots(6), takeSlots(1)]
  slots.giveBack(2)
  expect(await many).toBe(1)
  slots.giveBack(1)
  expect(await one).toBe(1)
  giveBack(2)
  expect(slots.available).toBe(4)
})

test('what is claimed is sent in slots that were taken; those that are left over are given back', async () => {
  const { slots, started, takeSlots, send } = set(8)
  const taken = await takeSlots(4)
  const told = await send(taken, async ({ limit }) => ({
    ...{ limit, claimed: [delivery('a')], late: false },
  }))
  expect(told.limit).toBe(4)
  expect({ started, available: slots.available }).toEqual({ started: ['a'], available: 7 })
})

test('after a claim that failed the slots are still taken, for the next try or to be given back', async () => {
  const { slots, started, takeSlots, send, giveBack } = set(8)
  const taken = await takeSlots(3)
  const lost = send(taken, () => Promise.reject(new Error('away')))
  await expect(lost).rejects.toThrow('away')
  expect(slots.available).toBe(5)
  await send(taken, async () => ({ claimed: [delivery('a'), delivery('b')], late: false }))
  expect({ started, available: slots.available }).toEqual({ started: ['a', 'b'], available: 6 })
  giveBack(2)
  expect(slots.available).toBe(8)
})

test('when the service stops nothing more is begun, and who has waited keeps no slot', async () => {
  const { slots, stop, takeSlots } = set(8)
  slots.take(8)
  const waits = takeSlots(2)
  stop.abort()
  slots.giveBack(8)
  expect(await waits).toBe(0)
  expect(await takeSlots(2)).toBe(0)
  expect(slots.available).toBe(8)
})

test('while slots do not come free events do not wait for long: after one has, others do not for a while', async () => {
  const { slots, takeSlots } = set(8)
  slots.take(8)
  const told: [string, number][] = []
  const wait = async (name: string) => told.push([name, await takeSlots(1)])
  const passes = async (ms: number) => {
    vi.advanceTimersByTime(ms)
    await nextTurn()
  }
  const waits = [wait('first')]
  await passes(4_000)
  expect(told).toEqual([])
  await passes(1_001)
  expect(told).toEqual([['first', 0]])
  waits.push(wait('second'))
  await passes(1)
  expect(told).toEqual([
    ['first', 0],
    ['second', 0],
  ])
  await passes(5_000)
  waits.push(wait('third'))
  await passes(1_000)
  expect(told).toHaveLength(2)
  slots.giveBack(3)
  await Promise.all(waits)
  expect(told.at(-1)).toEqual(['third', 1])
})
