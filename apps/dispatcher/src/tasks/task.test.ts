import { expect, test } from 'vitest'
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
  expect(settle({ kind: 'interrupted' })).toEqual({ state: 'waiting', failure: null })
})

test('nothing is stored of a task that is lost, or that may still be at work', () => {
  expect(settle({ kind: 'lost' })).toBeUndefined()
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
    done: '200 OK',
    unrouted: '422 Unprocessable Entity',
    failed: '500 Internal Server Error',
    'timed-out': '504 Gateway Timeout',
  })
})
