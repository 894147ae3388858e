/**
 * How many requests may be in flight at once. A process counts its own (in-flight.ts), and those of others from their leases
 * that are alive in the database: so the caps hold across all workers, and what a dead worker held stops counting when its
 * lease ends.
 */
export interface Caps {
  /** To one subscription's target; its own `max_concurrency` wins. */
  readonly subscription: number
  /** To one host, or one dispatcher. */
  readonly host: number
  /** For one user. */
  readonly owner: number
}

export const DEFAULT_CAPS: Caps = { subscription: 8, host: 32, owner: 32 }

/** As the settings name them. */
export function capsOf(config: {
  perSubscription: number
  perHost: number
  perOwner: number
}): Caps {
  const { perSubscription: subscription, perHost: host, perOwner: owner } = config
  return { subscription, host, owner }
}

/** Of a lane's turns each fourth is a retry's, when one is due; while its target fails, all but each sixteenth. */
export const RETRY_SHARE = { healthy: 4, failing: 16 } as const
