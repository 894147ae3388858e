/** Where two transactions are made to meet. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Sql } from '@pacifica/platform'

/** Resolves when some statement waits for a lock that another transaction of this database holds. */
export async function someoneWaits(sql: Sql): Promise<void> {
  for (;;) {
    const [row] = await sql.query<{ waiting: number }>(
      `SELECT count(*)::int AS waiting FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    if (row && row.waiting > 0) return
    await pause(10)
  }
}
