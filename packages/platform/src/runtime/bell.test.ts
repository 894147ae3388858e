import { expect, test } from 'vitest'
import { createBell } from './bell.ts'

const never = new AbortController().signal
const LONG_MS = 600_000

test('a ring wakes everyone who waits', async () => {
  const bell = createBell()
  const all = Promise.all([bell.wait(LONG_MS, never), bell.wait(LONG_MS, never)])
  bell.ring()
  await all
})

test('a ring with nobody waiting is kept for the next wait, once', async () => {
  const bell = createBell()
  bell.ring()
  bell.ring()
  await bell.wait(LONG_MS, never)
  let woken = false
  const second = bell.wait(LONG_MS, never).then(() => {
    woken = true
  })
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(woken).toBe(false)
  bell.ring()
  await second
})

test('without a ring the wait ends by itself', async () => {
  const startedAt = performance.now()
  await createBell().wait(30, never)
  expect(performance.now() - startedAt).toBeGreaterThanOrEqual(28)
})

test('an abort ends the wait, before and while waiting', async () => {
  const bell = createBell()
  const stop = new AbortController()
  const waiting = bell.wait(LONG_MS, stop.signal)
  stop.abort()
  await waiting
  await bell.wait(LONG_MS, stop.signal)
})
