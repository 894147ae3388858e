/** A worker of deliveries with quiet surroundings: what a test is about it gives itself. */
import { createSlots } from '@pacifica/platform'
import type { ClaimedDelivery, Look } from '../../apps/notifications/src/deliver/claim.ts'
import { DEFAULT_RETRY } from '../../apps/notifications/src/deliver/retry.ts'
import { type DeliverNeeds, deliverer } from '../../apps/notifications/src/deliver/worker.ts'
import { silentLog } from './migrated-database.ts'

const minute = 60_000
const nothing = () => {}

export const LOOK: Look = { claimed: [], aside: [], follow: [], late: false, blocked: false }

/** Finds these deliveries with each look, unless it is given another `claim`; each result is still its own. */
export function quietWorker(
  claimed: readonly ClaimedDelivery[],
  given: Pick<DeliverNeeds, 'targetFor'> & Partial<DeliverNeeds>,
) {
  const errors: unknown[] = []
  const slots = createSlots(2, (error) => errors.push(error))
  const needs: DeliverNeeds = {
    claim: async () => ({ ...LOOK, claimed }),
    follow: async () => 0,
    record: async () => true,
    disable: async () => {},
    inFlight: { answered: () => true, stored: nothing },
    deliverBell: { wait: async () => {} },
    authorizeBell: { ring: nothing },
    metrics: { settled: nothing, attempted: nothing, claimedLate: nothing },
    ...{ slots, log: silentLog, random: () => 0.5, now: () => performance.now() },
    abandoning: new AbortController().signal,
    ...given,
  }
  const options = { retry: DEFAULT_RETRY, startWithinMs: 10 * minute, leaseMs: 10 * minute }
  const { step } = deliverer(needs, options)
  return {
    step,
    slots,
    /** One step to its end; answers what went wrong. */
    async run(): Promise<unknown[]> {
      await step()
      await slots.drained()
      return errors
    },
  }
}
