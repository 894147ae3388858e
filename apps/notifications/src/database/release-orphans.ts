/**
 * An embedded database has one process. When it starts, whoever held a lease is dead: what they held is due at once
 * instead of when the lease ends. On a server other processes may be alive, and leases run their course.
 */
import type { Sql } from '@pacifica/platform'

const STATEMENTS = [
  `UPDATE event_state SET due = now() WHERE state = 'new' AND due > now()`,
  `UPDATE policy_answer SET due = now() WHERE state = 'asking' AND due > now() AND error IS NULL`,
  `UPDATE delivery SET due = now() WHERE state = 'delivering'`,
  `UPDATE recover_job SET due = now() WHERE state = 'running'`,
  `UPDATE backtest_job SET due = now() WHERE state = 'running'`,
]

export async function releaseOrphans(sql: Sql): Promise<void> {
  for (const statement of STATEMENTS) await sql.query(statement)
}
