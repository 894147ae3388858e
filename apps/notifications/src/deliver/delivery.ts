/**
 * A delivery's states, and what becomes of it after an attempt. Pure: no clock, no database.
 *
 *   pending ─→ delivering ─→ delivered
 *      │           ├──────→ retrying ─→ delivering …
 *      │           ├──────→ exhausted
 *      │           └──────→ failed        our own fault, with the reason
 *      ├─→ denied                         policy said no
 *      ├─→ held                           the subscription is disabled; goes out after re-enabling
 *      └─→ cancelled                      the subscription was deleted
 */
import { type RetryPolicy, retryDelay } from './retry.ts'

export type DeliveryState =
  | 'pending'
  | 'denied'
  | 'delivering'
  | 'delivered'
  | 'retrying'
  | 'exhausted'
  | 'held'
  | 'cancelled'
  | 'failed'

/** What an attempt came to. */
export type Outcome =
  | { readonly kind: 'accepted'; readonly status: number | null; readonly body: string | null }
  /** The target answered, and it was not a success. */
  | {
      readonly kind: 'refused'
      readonly status: number
      readonly body: string
      readonly reason: string
      readonly retryAfterMs?: number
    }
  /** 410: the target is not there any more, and says so. */
  | {
      readonly kind: 'gone'
      readonly status: number
      readonly body: string
      readonly reason: string
    }
  /** No answer: network errors, timeouts, no queue. */
  | { readonly kind: 'unreachable'; readonly reason: string }
  /** It could not be sent, and it is not the target's fault: a secret that cannot be read. Nothing was sent. */
  | { readonly kind: 'impossible'; readonly reason: string }
  /** There is no way to the target just now, and it is ours: no connection to the broker. Nothing was sent. */
  | { readonly kind: 'away'; readonly reason: string }
  /** This process is closing, or its lease ran out before it began: nothing was sent, another worker does it. */
  | { readonly kind: 'unsent' }

export interface Settlement {
  readonly state: DeliveryState
  /** Requests really sent so far. */
  readonly attempt: number
  readonly reason: string | null
  /** When it may be claimed again, in milliseconds from now; null when nobody has to act. */
  readonly dueInMs: number | null
  /** Why the subscription is to be disabled at once. */
  readonly disable?: string
}

/**
 * The wait when there was no way to send it; up to twice as long, so that what met the same outage does not come back
 * together. While an outage is known nothing is claimed for it (claim.ts): this is for the few that it caught.
 */
const AWAY_MS = 1_000

/** What becomes of a delivery after an attempt. The worker stores exactly what this returns. */
export function settle(
  delivery: { readonly attempt: number },
  outcome: Outcome,
  policy: RetryPolicy,
  random: number,
): Settlement {
  const sent = delivery.attempt + 1
  switch (outcome.kind) {
    case 'accepted':
      return { state: 'delivered', attempt: sent, reason: null, dueInMs: null }
    case 'gone':
      return {
        state: 'exhausted',
        attempt: sent,
        reason: outcome.reason,
        dueInMs: null,
        disable: outcome.reason,
      }
    case 'refused':
      return postpone(sent, outcome.reason, retryDelay(policy, sent, outcome.retryAfterMs, random))
    case 'unreachable':
      return postpone(sent, outcome.reason, retryDelay(policy, sent, undefined, random))
    case 'impossible':
      return { state: 'failed', attempt: delivery.attempt, reason: outcome.reason, dueInMs: null }
    case 'away':
      return {
        state: 'pending',
        attempt: delivery.attempt,
        reason: outcome.reason,
        dueInMs: Math.round(AWAY_MS * (1 + random)),
      }
    case 'unsent':
      return { state: 'pending', attempt: delivery.attempt, reason: null, dueInMs: 0 }
  }
}

function postpone(sent: number, reason: string, delayMs: number | undefined): Settlement {
  if (delayMs === undefined) return { state: 'exhausted', attempt: sent, reason, dueInMs: null }
  return { state: 'retrying', attempt: sent, reason, dueInMs: delayMs }
}

/** A settled delivery is acted upon no more, unless somebody asks for a replay. */
export function isSettled(state: DeliveryState): boolean {
  return ['delivered', 'denied', 'exhausted', 'cancelled', 'failed'].includes(state)
}

const UNSENT = ['impossible', 'away', 'unsent'] as const
type Unsent = (typeof UNSENT)[number]

/** Whether a request left this process: only such outcomes are attempts. */
export function wasSent(outcome: Outcome): outcome is Exclude<Outcome, { kind: Unsent }> {
  return !UNSENT.some((kind) => kind === outcome.kind)
}
