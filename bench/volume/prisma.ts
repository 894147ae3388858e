/** Prisma on a port that explains: a transaction of its own takes longer there. */
import { PrismaClient } from '../../apps/notifications/src/database/generated/client.ts'
import { subscriptionStore } from '../../apps/notifications/src/subscriptions/store.ts'
import type { Ports } from './recorder.ts'

const PATIENCE = { maxWait: 600_000, timeout: 600_000 }

export function storeOn({ adapter }: Ports): ReturnType<typeof subscriptionStore> {
  return subscriptionStore({ prisma: new PrismaClient({ adapter, transactionOptions: PATIENCE }) })
}
