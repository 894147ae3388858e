/** Every list is read by an index: on PostgreSQL with 50 000 events and deliveries, by the plans that it chooses. */
import type { Sql } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type MigratedDatabase, openMigrated } from '../../../../test/harness/index.ts'
import { listJobs as listBacktests } from '../backtest/job-store.ts'
import { nextEvents } from '../backtest/stored-events.ts'
import { purgeEvents } from '../purge/purge.ts'
import { createJob, listJobs, nextCandidates } from '../recover/job-store.ts'
import { deliveriesOfSubscription } from './deliveries.ts'
import { type EventFilter, listEvents } from './list-events.ts'

const root = { user: 'root', admin: true }
const user = { user: 'user 7', admin: false }
/** Half of all deliveries are this user's. */
const busy = { user: 'user 0', admin: false }

let home: MigratedDatabase
const LARGE = [
  'eventlog',
  'event_state',
  'delivery',
  'policy_answer',
  'recover_job',
  'backtest_job',
]

beforeAll(async () => {
  home = await openMigrated('postgresql', 'notifications')
  await home.database.script(`
    INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url)
    SELECT md5('m' || n)::uuid, 'n', '$', 'user ' || n % 20, 'http://example.org/' FROM generate_series(0, 199) n;
    INSERT INTO eventlog (uuid, jsondata, created, spec_version, source, event_id, event_type, digest)
    SELECT md5('e' || n)::uuid, '{}', now() - (50000 - n) * interval '1 minute', '0.1',
      CASE WHEN n % 2 = 0 THEN '/pacifica/metadata/ingest' ELSE 'http://metadata/transactions?_id=' || n END, 'i' || n,
      CASE WHEN n % 1000 = 1 THEN 'rare' ELSE 'org.pacifica.metadata.ingest' END, 'd' || n
    FROM generate_series(1, 50000) n;
    INSERT INTO event_state (event, received, state, due)
    SELECT md5('e' || n)::uuid, now() - (50000 - n) * interval '1 minute',
      CASE WHEN n % 10000 = 0 THEN 'unmatchable' ELSE 'matched' END, NULL
    FROM generate_series(1, 50000) n;
    INSERT INTO delivery (event, subscription, owner, state, received)
    SELECT md5('e' || n)::uuid, m.uuid, m."user", CASE WHEN n % 500 = 0 THEN 'exhausted' ELSE 'delivered' END,
      now() - (50000 - n) * interval '1 minute'
    FROM generate_series(1, 50000) n
    JOIN eventmatch m ON m.uuid = md5('m' || CASE WHEN n % 2 = 0 THEN 0 ELSE n % 200 END)::uuid;
    INSERT INTO policy_answer (event, owner, state, due) SELECT event, owner, 'allowed', NULL FROM delivery;
    INSERT INTO recover_job (subscription, asked_by, state, since, until, states)
    SELECT md5('m' || n % 200)::uuid, 'a', 'done', now(), now(), '{exhausted}' FROM generate_series(1, 5000) n;
    INSERT INTO backtest_job (asked_by, owner, sees_all, jsonpath, dialect, version, since, until, samples, policy)
    SELECT 'user ' || n % 100, 'u', false, '$', 'jsonpath2', 'v0.1', now(), now(), 1, true
    FROM generate_series(1, 5000) n;`)
  for (const table of ['eventmatch', ...LARGE]) await home.database.query(`ANALYZE ${table}`)
}, 300_000)
afterAll(() => home?.close())

interface Plan {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly Plan[]
}

/** Of each statement that a list sends: tables read from end to end, and how many rows were touched. */
async function cost(list: (sql: Sql) => Promise<readonly unknown[]>) {
  const statements: { text: string; values: readonly unknown[] }[] = []
  const rows = await list({
    query: (text, values = []) => {
      statements.push({ text, values })
      return home.database.query(text, values)
    },
  })
  const scanned: string[] = []
  let touched = 0
  for (const { text, values } of statements) {
    const explain = `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`
    const [answer] = await home.database.query<{ 'QUERY PLAN': { Plan: Plan }[] }>(explain, values)
    const open = answer?.['QUERY PLAN'].map(({ Plan }) => Plan) ?? []
    for (const plan of open) {
      open.push(...(plan.Plans ?? []))
      const relation = plan['Relation Name']
      if (relation === undefined || !LARGE.includes(relation)) continue
      if (plan['Node Type'] === 'Seq Scan') scanned.push(relation)
      touched +=
        (plan['Actual Rows'] + (plan['Rows Removed by Filter'] ?? 0)) * plan['Actual Loops']
    }
  }
  return { rows: rows.length, scanned, touched }
}

const middle = {
  since: new Date(Date.now() - 20_000 * 60_000),
  until: new Date(Date.now() - 15_000 * 60_000),
}
const after = {
  micros: (Date.now() - 24_999.5 * 60_000) * 1000,
  uuid: '80000000-0000-0000-0000-000000000000',
}
const metadata = 'http://metadata/transactions?_id=30001'

test.each<[string, typeof root, Partial<EventFilter>, number]>([
  ['all', root, {}, 101],
  ['all, a later page', root, { after }, 101],
  ['all of a time range', root, middle, 101],
  ['all of a rare type', root, { type: 'rare' }, 50],
  [
    'all of a common type, a later page',
    root,
    { type: 'org.pacifica.metadata.ingest', after },
    101,
  ],
  ['all of a type that does not occur', root, { type: 'none' }, 0],
  ['all of one source', root, { source: metadata }, 1],
  ['all unmatchable', root, { state: 'unmatchable' }, 5],
  ['all new', root, { state: 'new' }, 0],
  ['all with an exhausted delivery', root, { state: 'exhausted' }, 100],
  ['all with an exhausted delivery, a later page', root, { state: 'exhausted', after }, 50],
  ['all with a held delivery', root, { state: 'held' }, 0],
  ['all with a delivered delivery', root, { state: 'delivered' }, 101],
  ['a user’s', user, {}, 101],
  ['a user’s, a later page', user, { after }, 101],
  ['a user’s of a time range', user, middle, 101],
  ['a user’s exhausted', user, { state: 'exhausted' }, 0],
  ['a busy user’s', busy, {}, 101],
  ['a busy user’s exhausted', busy, { state: 'exhausted' }, 100],
  ['a busy user’s of a time range', busy, middle, 101],
  ['a user’s of one source that is not theirs', user, { source: metadata }, 0],
])('events: %s', async (_name, viewer, filter, expected) => {
  const told = await cost((sql) => listEvents(sql, { ...filter, limit: 100 }, viewer))
  expect(told.rows).toBe(expected)
  expect(told.scanned).toEqual([])
  expect(told.touched).toBeLessThan(6000)
})

test('events: a busy user’s of one source: at the worst all deliveries of theirs, by an index', async () => {
  const filter = { source: '/pacifica/metadata/ingest', limit: 100 }
  const told = await cost((sql) => listEvents(sql, filter, busy))
  expect(told).toMatchObject({ rows: 101, scanned: [] })
})

test.each([
  ['the newest', {}, 101],
  ['a later page', { after }, 101],
  ['the exhausted', { state: 'exhausted' as const }, 100],
  ['the held', { state: 'held' as const }, 0],
])('deliveries of a subscription with half of all: %s', async (_name, filter, expected) => {
  const [row] = await home.database.query<{ uuid: string }>(`SELECT md5('m0')::uuid AS uuid`)
  const uuid = row?.uuid ?? ''
  const told = await cost((sql) => deliveriesOfSubscription(sql, uuid, { ...filter, limit: 100 }))
  expect(told.rows).toBe(expected)
  expect(told.scanned).toEqual([])
  expect(told.touched).toBeLessThan(1000)
})

test('a batch of a backtest, in the middle of a long period, and backtests of a user', async () => {
  const [at] = await home.database.query<{ created: string }>(
    'SELECT created::text FROM eventlog ORDER BY created OFFSET 25000 LIMIT 1',
  )
  const reached = { created: at?.created ?? '', event: '80000000-0000-0000-0000-000000000000' }
  const job = { owner: 'user 0', sinceText: '2000-01-01' }
  const options = { events: 200, bytes: 1_000_000, ttlMs: 60_000 }
  const batch = await cost((sql) => nextEvents(sql, job, reached, options))
  expect(batch).toMatchObject({ rows: 200, scanned: [] })
  expect(batch.touched).toBeLessThan(2000)
  const own = await cost((sql) =>
    listBacktests(sql, { user: 'user 7', admin: false }, { after: undefined, limit: 10 }),
  )
  expect(own).toMatchObject({ rows: 11, scanned: [] })
  expect(own.touched).toBeLessThan(50)
})

test('recoveries of a subscription', async () => {
  const [row] = await home.database.query<{ uuid: string }>(`SELECT md5('m0')::uuid AS uuid`)
  const told = await cost((sql) => listJobs(sql, row?.uuid ?? '', { after: undefined, limit: 10 }))
  expect(told).toMatchObject({ rows: 11, scanned: [] })
  expect(told.touched).toBeLessThan(50)
})

test('a step of a recovery of half of all', async () => {
  const [row] = await home.database.query<{ uuid: string }>(`SELECT md5('m0')::uuid AS uuid`)
  const subscription = row?.uuid ?? ''
  const states = ['delivered', 'exhausted'] as const
  const asked = { subscription, askedBy: 'root', since: new Date(0), until: undefined, states }
  const { uuid } = await createJob(home.database, asked)
  await home.database.query(
    'UPDATE recover_job SET position_received = $2, position_event = $3 WHERE uuid = $1',
    [uuid, middle.since, after.uuid],
  )
  const underWay = { disabled: false, deleted: false, failing: false, underWay: 0 }
  const job = { uuid, subscription, claim: 0, ...underWay }
  const told = await cost((sql) => nextCandidates(sql, job, 50))
  expect(told).toMatchObject({ rows: 50, scanned: [] })
  expect(told.touched).toBeLessThan(1000)
})

test('the next batch of a purge of most', async () => {
  const told = await cost(async (sql) => {
    const rows: object[] = []
    // What it finds is not handed on, so that nothing is purged.
    const finding: Sql = {
      async query(text, values) {
        rows.push(...(await sql.query(text, values)))
        return []
      },
    }
    await purgeEvents({ transaction: (work) => work(finding) }, { which: { before: middle.until } })
    return rows
  })
  expect(told).toMatchObject({ rows: 500, scanned: [] })
  expect(told.touched).toBeLessThan(2000)
})
