/** A private PostgreSQL that syncs, Policy and targets, as long as `work` takes. */
import { startPostgres } from '../../test/harness/index.ts'
import type { RunNeeds } from './run.ts'
import { startSite } from './site.ts'

export async function withSite<T>(work: (needs: RunNeeds) => Promise<T>): Promise<T> {
  const postgres = await startPostgres({ durable: true, own: true })
  try {
    const site = await startSite()
    try {
      return await work({ postgres, site })
    } finally {
      await site.close()
    }
  } finally {
    await postgres.stop()
  }
}
