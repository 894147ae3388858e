export interface BackoffOptions {
  /** The wait before the second attempt. */
  readonly firstMs: number
  /** No wait is longer than this, jitter included. */
  readonly maxMs: number
  /** Each wait is this many times the one before it. Default 2. */
  readonly factor?: number
  /** 0.1 spreads waits by ± 10 %, so that what failed together does not come back together. Default 0.1. */
  readonly jitter?: number
}

/** How many milliseconds to wait after attempt number `attempt` (1 is the first) has failed. */
export function backoff(attempt: number, options: BackoffOptions, random: () => number): number {
  const { firstMs, maxMs, factor = 2, jitter = 0.1 } = options
  const plain = Math.min(maxMs, firstMs * factor ** (Math.max(1, attempt) - 1))
  return Math.round(Math.min(maxMs, plain * (1 + jitter * (2 * random() - 1))))
}
