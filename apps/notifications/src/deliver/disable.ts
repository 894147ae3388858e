/**
 * When a subscription is disabled: its target said 410, or one of its deliveries is exhausted and nothing has succeeded
 * since the first failure for long enough. Deliveries that wait are held until it is enabled again.
 */
import type { Log } from '@pacifica/platform'
import type { SubscriptionStore } from '../subscriptions/store.ts'
import type { Settlement } from './delivery.ts'

export function disableExhausted(
  needs: { subscriptions: SubscriptionStore; log: Log },
  options: { disableAfterMs: number },
): (subscription: string, settlement: Settlement) => Promise<void> {
  return async (subscription, settlement) => {
    const atOnce = settlement.disable !== undefined
    const error =
      settlement.disable ?? `deliveries have only failed; the last: ${settlement.reason}`
    const disabled = await needs.subscriptions.disable(
      subscription,
      error,
      atOnce ? undefined : options.disableAfterMs,
    )
    if (disabled) needs.log.warn({ subscription, error }, 'subscription.disabled')
  }
}
