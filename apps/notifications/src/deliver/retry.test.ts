import { expect, test } from 'vitest'
import { DEFAULT_RETRY, parseRetryAfter, retryDelay } from './retry.ts'

const hour = 3_600_000

test('ten attempts are spread over at least 24.9 hours, even with all jitter taken off', () => {
  const waits = Array.from({ length: 9 }, (_, sent) =>
    retryDelay(DEFAULT_RETRY, sent + 1, undefined, 0),
  )
  const total = waits.reduce((sum: number, wait) => sum + (wait ?? 0), 0)
  expect(total).toBeGreaterThanOrEqual(24.9 * hour)
  expect(retryDelay(DEFAULT_RETRY, 10, undefined, 0)).toBeUndefined()
})

test('the jitter is ten percent either way', () => {
  expect(retryDelay(DEFAULT_RETRY, 1, undefined, 0)).toBe(4_500)
  expect(retryDelay(DEFAULT_RETRY, 1, undefined, 0.999_999)).toBe(5_500)
})

test('the last wait of a schedule repeats', () => {
  const policy = { maxAttempts: 5, delaysMs: [10, 20], maxRetryAfterMs: 0 }
  expect([1, 2, 3, 4].map((sent) => retryDelay(policy, sent, undefined, 0.5))).toEqual([
    10, 20, 20, 20,
  ])
})

test('with one attempt there is no other', () => {
  expect(retryDelay({ ...DEFAULT_RETRY, maxAttempts: 1 }, 1, 5_000, 0.5)).toBeUndefined()
})

test('Retry-After is honoured up to the bound', () => {
  expect(retryDelay(DEFAULT_RETRY, 1, 100 * hour, 0.5)).toBe(10 * hour)
})

test('Retry-After is read as seconds or as an HTTP date', () => {
  const now = Date.parse('2026-11-22T10:00:00Z')
  expect(parseRetryAfter('120', now)).toBe(120_000)
  expect(parseRetryAfter('Sun, 22 Nov 2026 10:01:00 GMT', now)).toBe(60_000)
  expect(parseRetryAfter('Sun, 22 Nov 2026 09:00:00 GMT', now)).toBe(0)
  for (const bad of [undefined, '', 'soon', '-5', '1.5'])
    expect(parseRetryAfter(bad, now)).toBeUndefined()
})
