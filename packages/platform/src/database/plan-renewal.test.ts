import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { createTestDatabase } from '../../../../test/harness/index.ts'
import { planRenewal, type RenewPlans } from './plan-renewal.ts'

let database: Awaited<ReturnType<typeof createTestDatabase>>
const clients: pg.Client[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  clients.push(await connect(), await connect())
})
afterAll(async () => {
  for (const client of clients) await client.end()
  await database.drop()
})

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  await client.query('SET plan_cache_mode = force_generic_plan')
  return client
}

const INSERT_ONE = "INSERT INTO queue VALUES (1, 'the only one')"

/** How it is found: `Seq Scan` or with an index. */
async function plan(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ 'QUERY PLAN': string }>('EXPLAIN EXECUTE find (1)')
  return rows.map((row) => row['QUERY PLAN']).join('\n')
}

beforeEach(async () => {
  const [one, other] = clients as [pg.Client, pg.Client]
  await one.query('DROP TABLE IF EXISTS queue')
  await one.query(
    'CREATE TABLE queue (id int PRIMARY KEY, body text) WITH (autovacuum_enabled = off)',
  )
  await one.query(INSERT_ONE)
  await one.query('VACUUM ANALYZE queue')
  for (const client of [one, other]) {
    await client.query('DEALLOCATE ALL')
    await client.query('PREPARE find AS SELECT body FROM queue WHERE id = $1')
  }
})

async function rowsOf(client: pg.Client): Promise<{ live: number; dead: number }> {
  const { rows } = await client.query<{ live: number; dead: number }>(
    "SELECT n_live_tup::int AS live, n_dead_tup::int AS dead FROM pg_stat_user_tables WHERE relname = 'queue'",
  )
  return rows[0] as { live: number; dead: number }
}

const grow = (client: pg.Client) =>
  client.query("INSERT INTO queue SELECT n, repeat('x', 100) FROM generate_series(2, 20000) AS n")

const NEVER_MS = 3_600_000
const AT_ONCE = { lookMs: 0, keepMs: NEVER_MS }

/** PostgreSQL's counts are a second late. */
const counted = { timeout: 60_000, interval: 100 }

/** Resolves when, with its plans renewed as they are due, the statement finds its row with an index. */
const findsByIndex = (client: pg.Client, renew: RenewPlans) =>
  vi.waitFor(async () => {
    await renew(client)
    expect(await plan(client)).toContain('Index')
  }, counted)

test('a plan for a small table is not kept when the table has grown, on any connection', async () => {
  const [one, other] = clients as [pg.Client, pg.Client]
  const renew = planRenewal(AT_ONCE)
  for (const client of [one, other]) {
    await renew(client)
    expect(await plan(client)).toContain('Seq Scan')
  }
  await grow(one)
  for (const client of [one, other]) {
    expect(await plan(client)).toContain('Seq Scan')
    await findsByIndex(client, renew)
  }
})

test('nor when it was large before, and small in between', async () => {
  const [one] = clients as [pg.Client]
  const renew = planRenewal(AT_ONCE)
  await renew(one)
  await grow(one)
  await findsByIndex(one, renew)
  await one.query('TRUNCATE queue')
  await one.query(INSERT_ONE)
  await vi.waitFor(async () => expect((await rowsOf(one)).live).toBeLessThan(10), counted)
  await one.query('VACUUM ANALYZE queue')
  expect(await plan(one)).toContain('Seq Scan')
  await renew(one)
  await grow(one)
  await findsByIndex(one, renew)
})

test('plans are kept while nothing has grown, and when it was little', async () => {
  const [one] = clients as [pg.Client]
  const renew = planRenewal(AT_ONCE)
  await renew(one)
  await one.query("INSERT INTO queue SELECT n, 'short' FROM generate_series(2, 100) AS n")
  await vi.waitFor(async () => expect((await rowsOf(one)).live).toBeGreaterThan(90), counted)
  const asked = await askedBy(one, async () => {
    await renew(one)
    await renew(one)
  })
  expect(asked).toHaveLength(2)
  expect(asked.join()).not.toContain('DISCARD')
})

test('after a while they are thrown away, whatever has happened', async () => {
  const [one] = clients as [pg.Client]
  const renew = planRenewal({ lookMs: NEVER_MS, keepMs: 0 })
  await renew(one)
  expect(await askedBy(one, () => renew(one))).toEqual(['DISCARD PLANS'])
})

test('tables are looked at now and then, and once for all connections', async () => {
  const [one, other] = clients as [pg.Client, pg.Client]
  const renew = planRenewal({ lookMs: NEVER_MS, keepMs: NEVER_MS })
  await renew(one)
  await grow(one)
  expect(await askedBy(one, () => renew(one))).toEqual([])
  expect(await askedBy(other, () => renew(other))).toEqual([])
})

test('nobody waits for who changes a table', async () => {
  const [one, other] = clients as [pg.Client, pg.Client]
  await other.query('BEGIN')
  await other.query('LOCK TABLE queue IN ACCESS EXCLUSIVE MODE')
  try {
    await one.query("SET lock_timeout = '100ms'")
    await planRenewal(AT_ONCE)(one)
  } finally {
    await other.query('ROLLBACK')
    await one.query('RESET lock_timeout')
  }
})

async function askedBy(client: pg.Client, work: () => Promise<void>): Promise<string[]> {
  const asked: string[] = []
  const query = client.query
  client.query = ((...given: unknown[]) => {
    asked.push(String(given[0]))
    return Reflect.apply(query, client, given)
  }) as typeof client.query
  try {
    await work()
  } finally {
    client.query = query
  }
  return asked
}
