/** An upgrade in place from the version without lanes, with deliveries in every state. */
import { type Database, migrate } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { openMigrated } from '../../../../../test/harness/index.ts'
import { lookAtDue } from '../../deliver/claim.ts'
import { followAll } from '../../deliver/lanes.ts'
import { MIGRATIONS } from '../migrations.ts'

const LANES = '20261122060000_lanes'

/** The states that a delivery had, with what a subscription and Policy said, and whether it goes out now. */
const ROWS = [
  { state: 'pending', due: 'now()', goes: true },
  { state: 'pending', due: "now() + interval '5 minutes'", goes: false },
  { state: 'retrying', due: 'now()', attempt: 2, goes: true },
  { state: 'retrying', due: "now() + interval '1 hour'", attempt: 2, goes: false },
  { state: 'delivering', due: "now() - interval '1 second'", attempt: 1, goes: true },
  { state: 'delivering', due: "now() + interval '1 hour'", goes: false },
  { state: 'held', due: 'now()', disabled: true, goes: false },
  ...['denied', 'delivered', 'exhausted', 'cancelled', 'failed'].map((state) => ({
    ...{ state, due: 'NULL', goes: false },
  })),
]

async function fill(database: Database): Promise<string[]> {
  const goes: string[] = []
  for (const [n, row] of ROWS.entries()) {
    const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
    const { state, due, attempt = 0, disabled = false } = { attempt: 0, disabled: false, ...row }
    await database.query(
      `INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, max_concurrency, disabled)
       VALUES ($1, 'n', '$', $2, 'http://h/', 3, CASE WHEN $3 THEN now() END)`,
      [uuid, `user${n}`, disabled],
    )
    await database.query(
      `INSERT INTO eventlog (uuid, jsondata, state, match_due) VALUES ($1, '{}', 'matched', NULL)`,
      [uuid],
    )
    await database.query(
      `INSERT INTO policy_answer (event, owner, state, answered, due) VALUES ($1, $2, 'allowed', now(), NULL)`,
      [uuid, `user${n}`],
    )
    await database.query(
      `INSERT INTO delivery (uuid, event, subscription, owner, state, attempt, due)
       VALUES ($1, $1, $1, $2, $3, $4, ${due})`,
      [uuid, `user${n}`, state, attempt],
    )
    if (row.goes) goes.push(uuid)
  }
  return goes
}

test('deliveries of a version without lanes go on, whatever their state', async () => {
  const home = await openMigrated('postgresql', 'notifications', { before: LANES })
  const { database } = home
  try {
    const goes = await fill(database)
    await migrate(database, MIGRATIONS)
    expect(await followAll(database), 'as many as have something due').toBe(goes.length + 1)
    const options = { limit: 64, leaseMs: 60_000, policyTtlMs: 600_000 }
    const { claimed, aside } = await lookAtDue(database, options)
    expect(claimed.map(({ uuid }) => uuid).sort()).toEqual(goes)
    expect(aside).toEqual(['held'])
    const asleep = await database.query(
      `SELECT l.subscription FROM lane l WHERE l.next_due > now() ORDER BY l.subscription`,
    )
    expect(asleep).toHaveLength(2)
  } finally {
    await home.close()
  }
}, 120_000)
