import fc from 'fast-check'
import { expect, test } from 'vitest'
import { backoff } from './backoff.ts'

const middle = () => 0.5

test('waits double from the first to the longest', () => {
  const waits = [1, 2, 3, 4, 5, 6].map((attempt) =>
    backoff(attempt, { firstMs: 100, maxMs: 1_000 }, middle),
  )
  expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000])
})

test('jitter spreads a wait to both sides', () => {
  const options = { firstMs: 1_000, maxMs: 10_000, jitter: 0.1 }
  expect(backoff(1, options, () => 0)).toBe(900)
  expect(backoff(1, options, () => 1)).toBe(1_100)
})

test('no wait is negative, endless or longer than the longest', () => {
  const attempts = fc.integer({ min: -5, max: 100_000 })
  const share = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      attempts,
      share,
      share,
      fc.integer({ min: 0, max: 1e6 }),
      (n, jitter, random, maxMs) => {
        const wait = backoff(n, { firstMs: 50, maxMs, factor: 3, jitter }, () => random)
        expect(wait).toBeGreaterThanOrEqual(0)
        expect(wait).toBeLessThanOrEqual(maxMs)
      },
    ),
  )
})
