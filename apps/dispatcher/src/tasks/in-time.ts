/**
 * A run and its limits: told to end when its time is up or somebody says so, ended by force when it does not, left
 * behind when even that does not help.
 */
import { sleep } from '@pacifica/platform'
import {
  LeaseLostError,
  ScratchQuotaError,
  TaskCancelledError,
  TaskTimeoutError,
} from './stop-reasons.ts'
import type { Outcome } from './task.ts'

export interface RunLimits {
  readonly timeoutMs: number
  /** How long a run that timed out, or was cancelled, may take to end after it was told to. */
  readonly graceMs: number
  /** The same when this process is going down, or somebody else has the task. */
  readonly hurriedGraceMs: number
  /** How long it may take to be ended by force. */
  readonly forceMs: number
}

/** @param run gets the signal that asks it to end, and the one that ends it */
export async function inTime(
  run: (stop: AbortSignal, force: AbortSignal) => Promise<Outcome>,
  limits: RunLimits,
  signal: AbortSignal,
): Promise<Outcome> {
  const [stop, force, ended] = [new AbortController(), new AbortController(), new AbortController()]
  const pass = () => stop.abort(signal.reason)
  const timer = setTimeout(() => stop.abort(new TaskTimeoutError()), limits.timeoutMs)
  signal.addEventListener('abort', pass, { once: true })
  if (signal.aborted) pass()
  try {
    const left = leftBehind(stop.signal, force, ended.signal, limits)
    const outcome = await Promise.race([run(stop.signal, force.signal), left])
    return told(outcome, stop.signal, limits.timeoutMs)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', pass)
    ended.abort()
  }
}

async function leftBehind(
  stop: AbortSignal,
  force: AbortController,
  ended: AbortSignal,
  limits: RunLimits,
): Promise<Outcome> {
  await aborted(stop, ended)
  if (!ended.aborted) await sleep(graceFor(stop.reason, limits), ended)
  if (!ended.aborted) {
    force.abort(stop.reason)
    await sleep(limits.forceMs, ended)
  }
  return { kind: 'unfinished' }
}

function graceFor(reason: unknown, { graceMs, hurriedGraceMs }: RunLimits): number {
  const canWait = reason instanceof TaskTimeoutError || reason instanceof TaskCancelledError
  return canWait ? graceMs : Math.min(graceMs, hurriedGraceMs)
}

/** Resolves when one of them does. */
function aborted(...signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) {
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    }
  })
}

/** Ends that nobody's telling brought about. */
const ENDS: ReadonlySet<Outcome['kind']> = new Set(['done', 'unrouted', 'refused', 'joined'])

/** What a run's end means, given who told it to end. A handler that came to its end in spite of that is done. */
function told(outcome: Outcome, stop: AbortSignal, limitMs: number): Outcome {
  if (stop.reason instanceof LeaseLostError) return { kind: 'lost' }
  if (ENDS.has(outcome.kind)) return outcome
  if (stop.reason instanceof TaskTimeoutError) return { kind: 'timed-out', limitMs }
  if (stop.reason instanceof TaskCancelledError) return { kind: 'cancelled' }
  if (stop.reason instanceof ScratchQuotaError)
    return { kind: 'threw', failure: brief(stop.reason) }
  if (stop.aborted && outcome.kind !== 'unfinished') return { kind: 'interrupted' }
  return outcome
}

/** It is nobody's code that went wrong here, so there is no traceback. */
function brief({ name, message }: Error) {
  return { type: name, value: message, traceback: '' }
}
