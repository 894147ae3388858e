import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BatcherClosedError, batcher } from './batcher.ts'

const LONG_MS = 600_000
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

test('items added together are committed together, each with its own result', async () => {
  const groups: number[][] = []
  const { add } = tenfold(groups, { maxItems: 100, waitMs: 5 })
  expect(await Promise.all([add(1), add(2), add(3)])).toEqual([10, 20, 30])
  expect(groups).toEqual([[1, 2, 3]])
})

function tenfold(groups: number[][], options: Parameters<typeof batcher<number, number>>[1]) {
  const made = batcher<number, number>(async (items) => {
    groups.push(items)
    return items.map((item) => item * 10)
  }, options)
  return { add: (item: number) => made.add(item), batch: made }
}

test('a full group does not wait, by items or by bytes', async () => {
  const groups: number[][] = []
  const byItems = tenfold(groups, { maxItems: 2, waitMs: LONG_MS })
  await Promise.all([byItems.add(1), byItems.add(2)])
  const byBytes = tenfold(groups, { maxItems: 99, maxBytes: 10, sizeOf: (n) => n, waitMs: LONG_MS })
  await Promise.all([byBytes.add(6), byBytes.add(4)])
  expect(groups).toEqual([
    [1, 2],
    [6, 4],
  ])
})

test('how long a group waits is asked for each', async () => {
  const groups: number[][] = []
  let waitMs = 1
  const { add } = tenfold(groups, { maxItems: 3, waitMs: () => waitMs })
  await add(1)
  waitMs = LONG_MS
  await Promise.all([add(2), pause(20).then(() => add(3)), pause(40).then(() => add(4))])
  expect(groups).toEqual([[1], [2, 3, 4]])
})

test('a group keeps below its bytes; an item larger than that goes alone', async () => {
  const groups: number[][] = []
  const { add } = tenfold(groups, { maxItems: 99, maxBytes: 10, sizeOf: (n) => n, waitMs: 1 })
  await Promise.all([add(6), add(5), add(50), add(3), add(3)])
  expect(groups).toEqual([[6], [5], [50], [3, 3]])
})

test('while a commit runs the next group collects', async () => {
  const groups: number[][] = []
  let release = () => {}
  const { add, waiting } = slow()
  function slow() {
    const made = batcher<number, number>(
      async (items) => {
        groups.push(items)
        if (groups.length === 1) await new Promise<void>((resolve) => (release = resolve))
        return items
      },
      { maxItems: 100, waitMs: 0 },
    )
    return { add: (item: number) => made.add(item), waiting: () => made.waiting }
  }
  const first = add(1)
  await pause(5)
  const rest = [add(2), add(3), add(4)]
  await pause(5)
  expect(groups).toEqual([[1]])
  expect(waiting()).toBe(3)
  release()
  await Promise.all([first, ...rest])
  expect(groups).toEqual([[1], [2, 3, 4]])
  expect(waiting()).toBe(0)
})

test('no more commits run at once than allowed, and as many as allowed do', async () => {
  let running = 0
  let most = 0
  const made = batcher<number, number>(
    async (items) => {
      running += 1
      most = Math.max(most, running)
      await pause(3)
      running -= 1
      return items
    },
    { maxItems: 5, waitMs: 1, concurrency: 3 },
  )
  await Promise.all(Array.from({ length: 100 }, (_, n) => made.add(n)))
  expect(most).toBe(3)
})

test('one bad item costs no neighbour: a failed group is repeated item by item', async () => {
  const groups: number[][] = []
  const made = batcher<number, string>(
    async (items) => {
      groups.push(items)
      if (items.includes(2)) throw new Error('2 is bad')
      return items.map(String)
    },
    { maxItems: 100, waitMs: 1 },
  )
  const results = await Promise.allSettled([made.add(1), made.add(2), made.add(3)])
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(groups).toEqual([[1, 2, 3], [1], [2], [3]])
})

test('an error that every item would meet again is not repeated', async () => {
  let commits = 0
  const made = batcher<number, number>(
    async () => {
      commits += 1
      throw new Error('no database')
    },
    { maxItems: 100, waitMs: 1, repeatSingly: () => false },
  )
  const results = await Promise.allSettled([made.add(1), made.add(2)])
  expect(results.every(({ status }) => status === 'rejected')).toBe(true)
  expect(commits).toBe(1)
})

test('a commit that gives the wrong number of results gives nobody a neighbour’s', async () => {
  const made = batcher<number, number>(async (items) => items.slice(1), { maxItems: 9, waitMs: 1 })
  const results = await Promise.allSettled([made.add(1), made.add(2)])
  expect(results.every(({ status }) => status === 'rejected')).toBe(true)
})

test('close commits what waits, waits for what runs, and takes nothing new', async () => {
  const groups: number[][] = []
  const { add, batch } = tenfold(groups, { maxItems: 3, waitMs: LONG_MS })
  const added = [1, 2, 3, 4].map(add)
  await batch.close()
  expect(groups).toEqual([[1, 2, 3], [4]])
  await Promise.all(added)
  await expect(add(5)).rejects.toThrow(BatcherClosedError)
  await batch.close()
})

test('whatever comes when, every item is committed once and gets its own result, in order', async () => {
  const bursts = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 })
  const options = fc.record({
    maxItems: fc.integer({ min: 1, max: 6 }),
    maxBytes: fc.integer({ min: 1, max: 20 }),
    waitMs: fc.integer({ min: 0, max: 3 }),
    concurrency: fc.integer({ min: 1, max: 3 }),
  })
  await fc.assert(
    fc.asyncProperty(bursts, options, async (sizes, limits) => {
      const groups: number[][] = []
      const { add, batch } = tenfold(groups, { ...limits, sizeOf: (n) => n % 7 })
      const results: Promise<number>[] = []
      let next = 0
      for (const size of sizes) {
        for (let n = 0; n < size; n += 1) results.push(add(next++))
        if (size % 2 === 0) await pause(0)
      }
      await batch.close()
      expect(await Promise.all(results)).toEqual(results.map((_, index) => index * 10))
      expect(groups.flat()).toEqual(results.map((_, index) => index))
      expect(groups.every((group) => group.length <= limits.maxItems)).toBe(true)
    }),
    { numRuns: 60 },
  )
})
