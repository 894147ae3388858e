import { expect, test } from 'vitest'
import { type Outcome, settle, wasSent } from './delivery.ts'
import { DEFAULT_RETRY } from './retry.ts'

const refused: Outcome = {
  kind: 'refused',
  status: 503,
  body: 'busy',
  reason: 'the target answered 503',
}
const fresh = { attempt: 0 }

test('an accepted delivery is delivered, and nobody has to act any more', () => {
  const settlement = settle(fresh, { kind: 'accepted', status: 200, body: '' }, DEFAULT_RETRY, 0.5)
  expect(settlement).toEqual({ state: 'delivered', attempt: 1, reason: null, dueInMs: null })
})

test('a refused delivery is tried again after the time that the schedule says', () => {
  expect(settle(fresh, refused, DEFAULT_RETRY, 0.5)).toEqual({
    state: 'retrying',
    attempt: 1,
    reason: 'the target answered 503',
    dueInMs: 5_000,
  })
  expect(settle({ attempt: 2 }, refused, DEFAULT_RETRY, 0.5).dueInMs).toBe(120_000)
})

test('a target that cannot be reached is tried again like one that refuses', () => {
  const outcome: Outcome = { kind: 'unreachable', reason: 'connection refused' }
  expect(settle(fresh, outcome, DEFAULT_RETRY, 0.5)).toMatchObject({
    state: 'retrying',
    dueInMs: 5_000,
  })
})

test('Retry-After lengthens the wait and never shortens it', () => {
  const patient: Outcome = { ...refused, retryAfterMs: 60_000 }
  const hasty: Outcome = { ...refused, retryAfterMs: 1 }
  expect(settle(fresh, patient, DEFAULT_RETRY, 0.5).dueInMs).toBe(60_000)
  expect(settle(fresh, hasty, DEFAULT_RETRY, 0.5).dueInMs).toBe(5_000)
})

test('after the last attempt the delivery is exhausted, with the last reason', () => {
  expect(settle({ attempt: 9 }, refused, DEFAULT_RETRY, 0.5)).toEqual({
    state: 'exhausted',
    attempt: 10,
    reason: 'the target answered 503',
    dueInMs: null,
  })
})

test('410 exhausts the delivery at once and disables the subscription', () => {
  const gone: Outcome = {
    kind: 'gone',
    status: 410,
    body: '',
    reason: 'the target answered 410 Gone',
  }
  expect(settle(fresh, gone, DEFAULT_RETRY, 0.5)).toMatchObject({
    state: 'exhausted',
    disable: 'the target answered 410 Gone',
  })
})

test('what could not be sent for a fault of ours has failed and counts as no attempt', () => {
  const outcome: Outcome = { kind: 'impossible', reason: 'the secret cannot be read' }
  expect(settle(fresh, outcome, DEFAULT_RETRY, 0.5)).toMatchObject({ state: 'failed', attempt: 0 })
})

test('what there was no way to send waits a moment, with the reason, and counts as no attempt', () => {
  const outcome: Outcome = { kind: 'away', reason: 'no connection to the broker' }
  for (const attempt of [0, 3, 9]) {
    expect(settle({ attempt }, outcome, DEFAULT_RETRY, 0.5)).toEqual({
      state: 'pending',
      attempt,
      reason: 'no connection to the broker',
      dueInMs: 1_500,
    })
  }
  expect(wasSent(outcome)).toBe(false)
})

test('what was handed back unsent is due at once and counts as no attempt', () => {
  expect(settle({ attempt: 3 }, { kind: 'unsent' }, DEFAULT_RETRY, 0.5)).toMatchObject({
    state: 'pending',
    attempt: 3,
    dueInMs: 0,
  })
})
