/**
 * When a failed attempt is made again. Pure: the random number comes in as an argument.
 */
export interface RetryPolicy {
  /** Requests in all, the first included. */
  readonly maxAttempts: number
  /** The wait after the first, second, … failed attempt, in milliseconds; the last one repeats. */
  readonly delaysMs: readonly number[]
  /** A target's Retry-After is honoured up to this many milliseconds. */
  readonly maxRetryAfterMs: number
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** 5 s, 30 s, 2 min, 10 min, 30 min, 2 h, 5 h, 10 h, 10 h: at the least 24.9 h with the jitter taken off. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 10,
  delaysMs: [
    5 * second,
    30 * second,
    2 * minute,
    10 * minute,
    30 * minute,
    2 * hour,
    5 * hour,
    10 * hour,
    10 * hour,
  ],
  maxRetryAfterMs: 10 * hour,
}

const JITTER = 0.1

/**
 * The wait before the next attempt, in milliseconds; undefined when there is none.
 * @param attempt requests sent so far, ≥ 1
 * @param random in [0, 1): spreads the waits by ± 10 %
 */
export function retryDelay(
  policy: RetryPolicy,
  attempt: number,
  retryAfterMs: number | undefined,
  random: number,
): number | undefined {
  if (attempt >= policy.maxAttempts) return undefined
  const planned = policy.delaysMs[Math.min(attempt, policy.delaysMs.length) - 1] ?? 0
  const spread = planned * (1 + JITTER * (2 * random - 1))
  const asked = Math.min(retryAfterMs ?? 0, policy.maxRetryAfterMs)
  return Math.round(Math.max(spread, asked))
}

/**
 * Retry-After in milliseconds: delay-seconds or an HTTP date (RFC 9110 §10.2.3); undefined when it is neither.
 * @param now milliseconds since the epoch
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  const text = value.trim()
  if (/^\d+$/.test(text)) return Number(text) * second
  const date = /^[A-Za-z]/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
