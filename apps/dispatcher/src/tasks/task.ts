/**
 * What a task can be, and what becomes of it. Pure: no clock, no database, no network. The worker stores exactly what
 * `settle` returns.
 */
import { DEFAULT_RETRY, type RetryAdvice, type RetryPolicy, waitBefore } from './retry.ts'

/** What the API shows for each state (they *are* HTTP status lines, as in the Python dispatcher). */
export const STATUS_LINES = {
  waiting: '202 Accepted',
  running: '102 Processing',
  /** Put back because of an error that may pass. */
  retrying: '102 Processing',
  /** Its event waits in a join for others. */
  joined: '202 Accepted',
  done: '200 OK',
  unrouted: '422 Unprocessable Entity',
  failed: '500 Internal Server Error',
  'timed-out': '504 Gateway Timeout',
  cancelled: '499 Client Closed Request',
} as const

export type TaskState = keyof typeof STATUS_LINES
export type StatusLine = (typeof STATUS_LINES)[TaskState]

/** An error as GET /get/ID shows it. */
export interface Failure {
  readonly type: string
  readonly value: string
  readonly traceback: string
}

/** How a handler's run ended. */
export type Outcome =
  | { readonly kind: 'done' }
  /** No route matches the event. */
  | { readonly kind: 'unrouted'; readonly failure: Failure }
  /** A route matches, and the loop guard keeps the event from its handler. */
  | { readonly kind: 'refused'; readonly failure: Failure }
  /** Its event has gone into a join: its task was stored with that. */
  | { readonly kind: 'joined' }
  /** The handler, or what it stood on, threw. */
  | ({ readonly kind: 'threw'; readonly failure: Failure } & RetryAdvice)
  /** Its process came to a sudden end. */
  | { readonly kind: 'crashed'; readonly failure: Failure }
  /** It did not end within the task's time. */
  | { readonly kind: 'timed-out'; readonly limitMs: number }
  /** Somebody asked for that. */
  | { readonly kind: 'cancelled' }
  /** This process is going down: not the task's fault, somebody else begins it again. */
  | { readonly kind: 'interrupted' }
  /** This process is going down and the handler does not end: it may still be at work. */
  | { readonly kind: 'unfinished' }
  /** The lease ran out and somebody else has the task. */
  | { readonly kind: 'lost' }

type StorableOutcome = Exclude<Outcome, { readonly kind: 'unfinished' | 'lost' | 'joined' }>

/** What is stored of an outcome. */
export interface Settlement {
  readonly state: TaskState
  readonly failure: Failure | null
  /** Of a task that is to be begun again: when, in milliseconds from now, and what of its two budgets that costs. */
  readonly again?: { readonly afterMs: number; readonly costs: 'nothing' | 'a retry' | 'a start' }
}

/** How often a task was begun without an end, this time included, and put back because of errors that may pass. */
export interface Tried {
  readonly attempts: number
  readonly retries: number
}

const FIRST_TRY: Tried = { attempts: 1, retries: 0 }

/**
 * What becomes of a running task when its handler's run has ended so. Undefined: nothing may be stored; who holds the
 * task now, or claims it when the lease has run out, will say; or the join has said it.
 * @param random from 0 to 1, for the wait before another try
 */
export function settle(
  outcome: StorableOutcome,
  tried?: Tried,
  policy?: RetryPolicy,
  random?: number,
): Settlement
export function settle(
  outcome: Outcome,
  tried?: Tried,
  policy?: RetryPolicy,
  random?: number,
): Settlement | undefined
export function settle(
  outcome: Outcome,
  tried: Tried = FIRST_TRY,
  policy: RetryPolicy = DEFAULT_RETRY,
  random = 0.5,
): Settlement | undefined {
  switch (outcome.kind) {
    case 'done':
      return { state: 'done', failure: null }
    case 'unrouted':
    case 'refused':
      return { state: 'unrouted', failure: outcome.failure }
    case 'threw':
      return retried(outcome, tried, policy, random)
    case 'crashed':
      return begunAgain(outcome.failure, tried, policy, random)
    case 'timed-out':
      return { state: 'timed-out', failure: timeout(outcome.limitMs) }
    case 'cancelled':
      return { state: 'cancelled', failure: CANCELLED }
    case 'interrupted':
      return { state: 'waiting', failure: null, again: { afterMs: 0, costs: 'nothing' } }
    case 'unfinished':
    case 'lost':
    case 'joined':
      return undefined
  }
}

/** A handler may ask for a long wait, but not to be forgotten. */
const LONGEST_WAIT_MS = 30 * 86_400_000

function retried(
  { failure, retry }: { readonly failure: Failure } & RetryAdvice,
  { retries }: Tried,
  policy: RetryPolicy,
  random: number,
): Settlement {
  if (retry === undefined || retries >= policy.retries) return { state: 'failed', failure }
  const asked = retry.afterMs ?? waitBefore(retries + 1, policy, random)
  const afterMs = Math.min(asked, LONGEST_WAIT_MS)
  return { state: 'retrying', failure, again: { afterMs, costs: 'a retry' } }
}

function begunAgain(
  failure: Failure,
  { attempts }: Tried,
  policy: RetryPolicy,
  random: number,
): Settlement {
  if (attempts >= policy.maxStarts) return { state: 'failed', failure }
  const afterMs = waitBefore(attempts, policy, random)
  return { state: 'retrying', failure, again: { afterMs, costs: 'a start' } }
}

/** What is stored of a task that was begun `starts` times and never came to an end. */
export function abandoned(starts: number): Settlement {
  const value = `begun ${starts} times without an end: each time the process died, or lost its lease`
  return { state: 'failed', failure: { type: 'TaskAbandonedError', value, traceback: '' } }
}

/** What is shown of a cancelled task. */
export const CANCELLED: Failure = {
  type: 'TaskCancelledError',
  value: 'the task was cancelled',
  traceback: '',
}

function timeout(limitMs: number): Failure {
  const value = `the handler did not end within ${limitMs / 1000} s`
  return { type: 'TaskTimeoutError', value, traceback: '' }
}
