import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withDeadline } from './deadline.ts'
import { pause, pauseBefore } from './pause.ts'

test('what moves now and then has all the time it needs', async () => {
  const work = withDeadline('moving', { timeout: 600 }, async (watch) => {
    for (let step = 0; step < 15; step += 1) {
      await pause(50, watch.signal)
      watch.moved()
    }
    return 'done'
  })
  expect(await work).toBe('done')
})

test('what stands still is called off, and the error says what it was at', async () => {
  const work = withDeadline('moving', { timeout: 50 }, async (watch) => {
    watch.doing('waiting for Godot')
    await pause(10_000, watch.signal)
  })
  await expect(work).rejects.toMatchObject({
    code: 'TRANSFER_TIMEOUT',
    message: 'moving made no progress for 50 ms (waiting for Godot); give it a longer timeout',
  })
})

test("the caller's signal comes first, before and while the work goes on", async () => {
  const signal = AbortSignal.abort(new Error('cancelled'))
  const never = async () => expect.unreachable()
  await expect(withDeadline('moving', { signal }, never)).rejects.toThrow('cancelled')
  const cancel = new AbortController()
  setTimeout(() => cancel.abort(new Error('later')), 20)
  const work = withDeadline('moving', { signal: cancel.signal }, (watch) =>
    pause(10_000, watch.signal),
  )
  await expect(work).rejects.toThrow('later')
})

test('a timeout longer than any timer does not fire at once', async () => {
  const work = withDeadline('moving', { timeout: Number.POSITIVE_INFINITY }, () =>
    sleep(20, 'done'),
  )
  expect(await work).toBe('done')
})

test('pauses grow by half, up to the longest', () => {
  const pauses = { firstMs: 100, mostMs: 1_000 }
  expect([1, 2, 3, 100, 1e9].map((n) => pauseBefore(n, pauses))).toEqual([
    100, 150, 225, 1_000, 1_000,
  ])
})
