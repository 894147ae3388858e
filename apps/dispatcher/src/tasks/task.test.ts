import { expect, test } from 'vitest'
import { DEFAULT_RETRY } from './retry.ts'
import { abandoned, STATUS_LINES, settle } from './task.ts'

const failure = { type: 'TypeError', value: 'no such thing', traceback: 'at handle (handler.ts:3)' }

test('a handler that ended well makes the task done', () => {
  expect(settle({ kind: 'done' })).toEqual({ state: 'done', failure: null })
})

test('an event without a route, and a handler that threw, keep what was wrong', () => {
  expect(settle({ kind: 'unrouted', failure })).toEqual({ state: 'unrouted', failure })
  expect(settle({ kind: 'threw', failure })).toEqual({ state: 'failed', failure })
})

test('an event that the loop guard refused ends as one that no route takes', () => {
  expect(settle({ kind: 'refused', failure })).toEqual({ state: 'unrouted', failure })
})

test('a task out of time says how long it had', () => {
  const { state, failure } = settle({ kind: 'timed-out', limitMs: 90_000 })
  expect(state).toBe('timed-out')
  expect(failure?.value).toBe('the handler did not end within 90 s')
})

test('a task that our own going down interrupted waits again, with no mark on it', () => {
  const again = { afterMs: 0, costs: 'nothing' }
  expect(settle({ kind: 'interrupted' })).toEqual({ state: 'waiting', failure: null, again })
})

test('a failure that may pass is tried again, later and later, and not for ever', () => {
  const waits = [0, 1, 2, 19].map(
    (retries) =>
      settle({ kind: 'threw', failure, retry: {} }, { attempts: 1, retries }, DEFAULT_RETRY, 0.5)
        .again?.afterMs,
  )
  expect(waits).toEqual([10_000, 20_000, 40_000, 3_600_000])
  const tried = { attempts: 1, retries: DEFAULT_RETRY.retries }
  expect(settle({ kind: 'threw', failure, retry: {} }, tried)).toEqual({ state: 'failed', failure })
})

test('a handler may say when it is to be tried again', () => {
  expect(settle({ kind: 'threw', failure, retry: { afterMs: 5_000 } })).toEqual({
    state: 'retrying',
    failure,
    again: { afterMs: 5_000, costs: 'a retry' },
  })
  const never = settle({ kind: 'threw', failure, retry: { afterMs: Number.MAX_VALUE } })
  expect(never.again?.afterMs).toBe(30 * 86_400_000)
})

test('a handler whose process died is begun again, a few times', () => {
  const crash = (attempts: number) => settle({ kind: 'crashed', failure }, { attempts, retries: 0 })
  expect(crash(1)).toEqual({
    state: 'retrying',
    failure,
    again: { afterMs: 10_000, costs: 'a start' },
  })
  expect(crash(5)).toEqual({ state: 'failed', failure })
})

test('a cancelled task says so', () => {
  expect(settle({ kind: 'cancelled' })).toMatchObject({
    state: 'cancelled',
    failure: { type: 'TaskCancelledError' },
  })
})

test('nothing is stored of a task that is lost, or that may still be at work', () => {
  expect(settle({ kind: 'lost' })).toBeUndefined()
  expect(settle({ kind: 'joined' })).toBeUndefined()
  expect(settle({ kind: 'unfinished' })).toBeUndefined()
})

test('a task begun again and again without an end fails with the number', () => {
  const { state, failure } = abandoned(5)
  expect(state).toBe('failed')
  expect(failure?.value).toContain('begun 5 times without an end')
})

test('the API shows every state as the status line of the Python dispatcher', () => {
  expect(STATUS_LINES).toEqual({
    waiting: '202 Accepted',
    running: '102 Processing',
    retrying: '102 Processing',
    joined: '202 Accepted',
    done: '200 OK',
    unrouted: '422 Unprocessable Entity',
    failed: '500 Internal Server Error',
    'timed-out': '504 Gateway Timeout',
    cancelled: '499 Client Closed Request',
  })
})
