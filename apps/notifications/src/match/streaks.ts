/** How often in a row expressions failed, from a batch of events in their order. Pure. */
import type { Evaluation } from './live-subscriptions.ts'

/** So many failures in a row disable a subscription. */
export const MOST_FAILURES = 10

export interface Streak {
  readonly subscription: string
  /** Failures since the last success in the batch, or since its beginning. */
  readonly run: number
  /** Whether there was a success: what had failed before counts no more. */
  readonly recovered: boolean
  /** Failures in all. */
  readonly failed: number
  readonly lastReason: string | undefined
}

export function streaksOf(evaluations: readonly Evaluation[]): Streak[] {
  const streaks = new Map<string, Streak>()
  const of = (subscription: string): Streak =>
    streaks.get(subscription) ?? {
      subscription,
      run: 0,
      recovered: false,
      failed: 0,
      lastReason: undefined,
    }
  for (const { matches, recovered } of evaluations) {
    for (const { subscription, failure } of matches) {
      if (failure === undefined) continue
      const { run, failed, ...rest } = of(subscription)
      streaks.set(subscription, { ...rest, run: run + 1, failed: failed + 1, lastReason: failure })
    }
    for (const subscription of recovered)
      streaks.set(subscription, { ...of(subscription), run: 0, recovered: true })
  }
  return [...streaks.values()]
}
