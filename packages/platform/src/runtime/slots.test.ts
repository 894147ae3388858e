import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { oneAtATime } from './one-at-a-time.ts'
import { createSlots } from './slots.ts'

const LONG_MS = 60_000
const none = { leave: 0, withinMs: LONG_MS }
const noError = (error: unknown) => {
  throw error
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Those in line: what each was told so far. */
function lineFor(slots: ReturnType<typeof createSlots>) {
  const told = new Map<string, boolean>()
  return {
    join(name: string, count: number, options = none) {
      void slots.takeInTurn(count, options).then((taken) => told.set(name, taken))
    },
    /** In the order in which they were told. */
    async told() {
      await nextTurn()
      return Object.fromEntries(told)
    },
  }
}

test('no more are taken than are free, and what is given back can be taken again', () => {
  const slots = createSlots(3, noError)
  expect([slots.take(2), slots.take(2), slots.take(2)]).toEqual([2, 1, 0])
  slots.giveBack(2)
  expect(slots.available).toBe(2)
  expect(slots.take(9)).toBe(2)
})

test('work holds its slot until it ends, well or badly', async () => {
  const errors: unknown[] = []
  const slots = createSlots(2, (error) => errors.push(error))
  let [end, fail] = [() => {}, (_: string) => {}]
  slots.take(2)
  slots.start(() => new Promise((resolve) => (end = resolve)))
  slots.start(() => new Promise((_, reject) => (fail = reject)))
  await nextTurn()
  expect(slots.available).toBe(0)
  end()
  await slots.free()
  expect(slots.available).toBe(1)
  fail('bad')
  await slots.drained()
  expect({ available: slots.available, errors }).toEqual({ available: 2, errors: ['bad'] })
})

test('who waits for a free slot is told after all that became free in the same turn', async () => {
  const slots = createSlots(4, noError)
  slots.take(4)
  const seen = slots.free().then(() => slots.available)
  slots.giveBack(1)
  queueMicrotask(() => slots.giveBack(2))
  expect(await seen).toBe(3)
})

test('the line is served in its order: a small wish does not pass a large one', async () => {
  const slots = createSlots(4, noError)
  slots.take(4)
  const line = lineFor(slots)
  line.join('large', 3)
  line.join('small', 1)
  slots.giveBack(2)
  expect(await line.told()).toEqual({})
  slots.giveBack(1)
  expect(await line.told()).toEqual({ large: true })
  slots.giveBack(1)
  expect(await line.told()).toEqual({ large: true, small: true })
  expect(slots.available).toBe(0)
})

test('what is left to others stays free for them', async () => {
  const slots = createSlots(4, noError)
  const line = lineFor(slots)
  line.join('first', 3, { leave: 1, withinMs: LONG_MS })
  line.join('second', 1, { leave: 1, withinMs: LONG_MS })
  expect(await line.told()).toEqual({ first: true })
  expect(slots.take(4)).toBe(1)
  slots.giveBack(1)
  expect(await line.told()).toEqual({ first: true })
  slots.giveBack(1)
  expect(await line.told()).toEqual({ first: true, second: true })
})

test('who can never be served is told so at once, and holds up nobody', async () => {
  const slots = createSlots(2, noError)
  const line = lineFor(slots)
  line.join('too many', 3)
  line.join('too many beside what is left', 2, { leave: 1, withinMs: LONG_MS })
  line.join('one', 1)
  expect(await line.told()).toEqual({
    ...{ 'too many': false, 'too many beside what is left': false, one: true },
  })
})

test('each gives up when its own time is over, whoever stands before it, and takes nothing then', async () => {
  const slots = createSlots(4, noError)
  slots.take(4)
  const line = lineFor(slots)
  line.join('patient', 4, { leave: 0, withinMs: 5_000 })
  line.join('hasty', 1, { leave: 0, withinMs: 100 })
  line.join('not at all', 1, { leave: 0, withinMs: 0 })
  vi.advanceTimersByTime(1)
  expect(await line.told()).toEqual({ 'not at all': false })
  vi.advanceTimersByTime(100)
  expect(await line.told()).toEqual({ 'not at all': false, hasty: false })
  line.join('late', 1, { leave: 0, withinMs: 10_000 })
  slots.giveBack(2)
  expect(await line.told()).not.toHaveProperty('late')
  vi.advanceTimersByTime(5_000)
  expect(await line.told()).toMatchObject({ patient: false, late: true })
  expect(slots.available).toBe(1)
  vi.advanceTimersByTime(20_000)
  expect(await line.told()).toMatchObject({ late: true })
})

test('a slot that is free is had without waiting, even by who has no time', async () => {
  const slots = createSlots(1, noError)
  const line = lineFor(slots)
  line.join('now', 1, { leave: 0, withinMs: 0 })
  expect(await line.told()).toEqual({ now: true })
})

type Step = typeof aStep extends fc.Arbitrary<infer S> ? S : never
const aStep = fc.record({
  kind: fc.constantFrom('take', 'join', 'give', 'pass'),
  /** Of slots, or of milliseconds that pass. */
  count: fc.integer({ min: 1, max: 6 }),
  leave: fc.integer({ min: 0, max: 3 }),
  withinMs: fc.integer({ min: 0, max: 20 }),
})

/** What slots are, written down as plainly as possible. Wishes are told by their number. */
function model(size: number) {
  let [taken, now] = [0, 0]
  let line: { id: number; count: number; leave: number; until: number }[] = []
  const told: [number, boolean][] = []
  const serve = () => {
    for (let [first] = line; first && size - taken - first.leave >= first.count; [first] = line) {
      taken += first.count
      told.push([first.id, true])
      line.shift()
    }
  }
  return {
    told,
    taken: () => taken,
    take(most: number) {
      const count = Math.min(most, size - taken)
      taken += count
      return count
    },
    join(id: number, count: number, leave: number, withinMs: number) {
      if (count + leave > size) told.push([id, false])
      else line.push({ id, count, leave, until: now + withinMs })
      serve()
    },
    giveBack(count: number) {
      taken -= count
      serve()
    },
    /** One millisecond. */
    tick() {
      now += 1
      for (const { id, until } of line) if (until <= now) told.push([id, false])
      line = line.filter(({ until }) => until > now)
      serve()
    },
  }
}

test('whatever is taken, wished for, given up and given back: no slot is lost, and none is in two hands', async () => {
  const property = fc.asyncProperty(
    fc.integer({ min: 1, max: 6 }),
    fc.array(aStep, { maxLength: 60 }),
    async (size, steps) => {
      const [slots, wanted] = [createSlots(size, noError), model(size)]
      const told: [number, boolean][] = []
      const pass = (ms: number) => {
        for (let passed = 0; passed < ms; passed += 1) {
          vi.advanceTimersByTime(1)
          wanted.tick()
        }
      }
      const acts = {
        take: ({ count }: Step) => expect(slots.take(count)).toBe(wanted.take(count)),
        join({ count, leave, withinMs }: Step, id: number) {
          void slots.takeInTurn(count, { leave, withinMs }).then((taken) => told.push([id, taken]))
          wanted.join(id, count, leave, withinMs)
        },
        give({ count }: Step) {
          const given = Math.min(count, wanted.taken())
          slots.giveBack(given)
          wanted.giveBack(given)
        },
        pass: ({ count }: Step) => pass(count),
      }
      for (const [id, step] of steps.entries()) {
        acts[step.kind](step, id)
        expect(slots.available).toBe(size - wanted.taken())
      }
      pass(30)
      await nextTurn()
      expect(new Map(told)).toEqual(new Map(wanted.told))
      slots.giveBack(wanted.taken())
      await slots.drained()
      expect(slots.available).toBe(size)
    },
  )
  await fc.assert(property, { seed: 7, numRuns: 200 })
})

test('of work that is done one at a time none begins before the last has ended, well or badly', async () => {
  const inTurn = oneAtATime()
  const steps: string[] = []
  const work = (name: string, fails = false) =>
    inTurn(async () => {
      steps.push(`${name} begins`)
      await nextTurn()
      steps.push(`${name} ends`)
      if (fails) throw new Error(name)
      return name
    })
  const all = await Promise.allSettled([work('a'), work('b', true), work('c')])
  expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await work('d')).toBe('d')
  expect(steps).toEqual(['a', 'b', 'c', 'd'].flatMap((name) => [`${name} begins`, `${name} ends`]))
})
