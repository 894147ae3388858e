/**
 * Which failures are worth another try, and when. Pure. Errors are known by their codes, so that those of another copy
 * of core, an author's, count as well.
 */

/** What a failed run says of another try; without `retry` there is none. */
export interface RetryAdvice {
  readonly retry?: { readonly afterMs?: number }
}

export interface RetryPolicy {
  /** How often a task is put back because of an error that may pass. */
  readonly retries: number
  /** The first wait; doubled each time, up to `maxMs`. */
  readonly firstMs: number
  readonly maxMs: number
  /** How often a task may be begun without an end. */
  readonly maxStarts: number
}

export const DEFAULT_RETRY: RetryPolicy = {
  retries: 20,
  firstMs: 10_000,
  maxMs: 3_600_000,
  maxStarts: 5,
}

/** Cartd or Ingest away, silent, or breaking off: nobody's fault here. */
const MAY_PASS: ReadonlySet<unknown> = new Set([
  'SERVICE_UNREACHABLE',
  'TRANSFER_TIMEOUT',
  'CART_BROKEN',
  'CART_UNKNOWN',
])

/** An error of a transfer that may pass is tried again; a handler's own only when it says so (`RetryableError`). */
export function retryOf(error: unknown): RetryAdvice {
  if (typeof error !== 'object' || error === null) return {}
  const { code, status, retryAfterMs } = error as Record<string, unknown>
  if (code === 'RETRYABLE') {
    const isWait = typeof retryAfterMs === 'number' && retryAfterMs >= 0
    return { retry: isWait ? { afterMs: retryAfterMs } : {} }
  }
  if (MAY_PASS.has(code)) return { retry: {} }
  return code === 'SERVICE_ANSWER' && mayPassStatus(status) ? { retry: {} } : {}
}

function mayPassStatus(status: unknown): boolean {
  return typeof status === 'number' && (status >= 500 || status === 408 || status === 429)
}

/** Milliseconds before try `n`, counted from 1; ± 10 %, so that many tasks do not come back at once. */
export function waitBefore(n: number, policy: RetryPolicy, random: number): number {
  const ms = Math.min(policy.maxMs, policy.firstMs * 2 ** Math.min(n - 1, 40))
  return Math.round(ms * (0.9 + 0.2 * random))
}
