/**
 * What a task can be, and what becomes of it. Pure: no clock, no database, no network. The worker stores exactly what
 * `settle` returns.
 */

/** What the API shows for each state (they *are* HTTP status lines, as in the Python dispatcher). */
export const STATUS_LINES = {
  waiting: '202 Accepted',
  running: '102 Processing',
  done: '200 OK',
  unrouted: '422 Unprocessable Entity',
  failed: '500 Internal Server Error',
  'timed-out': '504 Gateway Timeout',
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
  /** The handler, or what it stood on, threw. */
  | { readonly kind: 'threw'; readonly failure: Failure }
  /** It did not end within the task's time. */
  | { readonly kind: 'timed-out'; readonly limitMs: number }
  /** This process is going down: not the task's fault, somebody else begins it again. */
  | { readonly kind: 'interrupted' }
  /** This process is going down and the handler does not end: it may still be at work. */
  | { readonly kind: 'unfinished' }
  /** The lease ran out and somebody else has the task. */
  | { readonly kind: 'lost' }

type StorableOutcome = Exclude<Outcome, { readonly kind: 'unfinished' | 'lost' }>

/** What is stored of an outcome. */
export interface Settlement {
  readonly state: TaskState
  readonly failure: Failure | null
}

/**
 * What becomes of a running task when its handler's run has ended so. Undefined: nothing may be stored; who holds the
 * task now, or claims it when the lease has run out, will say.
 */
export function settle(outcome: StorableOutcome): Settlement
export function settle(outcome: Outcome): Settlement | undefined
export function settle(outcome: Outcome): Settlement | undefined {
  switch (outcome.kind) {
    case 'done':
      return { state: 'done', failure: null }
    case 'unrouted':
    case 'refused':
      return { state: 'unrouted', failure: outcome.failure }
    case 'threw':
      return { state: 'failed', failure: outcome.failure }
    case 'timed-out':
      return { state: 'timed-out', failure: timeout(outcome.limitMs) }
    case 'interrupted':
      return { state: 'waiting', failure: null }
    case 'unfinished':
    case 'lost':
      return undefined
  }
}

/** What is stored of a task that was begun `starts` times and never came to an end. */
export function abandoned(starts: number): Settlement {
  const value = `begun ${starts} times without an end: each time the process died, or lost its lease`
  return { state: 'failed', failure: { type: 'TaskAbandonedError', value, traceback: '' } }
}

function timeout(limitMs: number): Failure {
  const value = `the handler did not end within ${limitMs / 1000} s`
  return { type: 'TaskTimeoutError', value, traceback: '' }
}
