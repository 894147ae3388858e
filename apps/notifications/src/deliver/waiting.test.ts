import { expect, test } from 'vitest'
import { whyWaiting } from './waiting.ts'

const caps = { subscription: 8, host: 32, owner: 16 }
const crowd = {
  ...{ subscription: 's', host: 'example.org', owner: 'ann', cap: null, ramp: null },
  ...{ inFlight: 0, hostInFlight: 0, ownerInFlight: 0 },
}

test('while there is no broker, a dispatch waits for it alone', () => {
  const dispatch = { ...crowd, host: 'dispatch://example', ramp: 1, inFlight: 1 }
  expect(whyWaiting(dispatch, caps, 'no broker')).toBe('no broker')
  expect(whyWaiting(crowd, caps, 'no broker')).toBe('it waits for its turn')
})

test.each([
  [{ inFlight: 8 }, '8 of 8 requests to its target are in flight'],
  [{ inFlight: 11 }, '8 of 8 requests to its target are in flight'],
  [{ inFlight: 2, cap: 2 }, '2 of 2 requests to its target are in flight'],
  [
    { inFlight: 1, ramp: 1 },
    'its target has failed: 1 at a time until it answers well, and 1 in flight',
  ],
  [{ hostInFlight: 32 }, '32 of 32 requests to example.org are in flight'],
  [{ ownerInFlight: 16 }, '16 of 16 requests for ann are in flight'],
  [{ inFlight: 3, ramp: 4 }, 'it waits for its turn'],
])('%j: %s', (counts, reason) => {
  expect(whyWaiting({ ...crowd, ...counts }, caps)).toBe(reason)
})
