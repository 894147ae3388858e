import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase } from '../../../../test/harness/index.ts'
import { planRenewal } from './plan-renewal.ts'

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
  await one.query("INSERT INTO queue VALUES (1, 'the only one')")
  await one.query('VACUUM ANALYZE queue')
  for (const client of [one, other]) {
    await client.query('DEALLOCATE ALL')
    await client.query('PREPARE find AS SELECT body FROM queue WHERE id = $1')
  }
})

const grow = (client: pg.Client) =>
  client.query("INSERT INTO queue SELECT n, repeat('x', 100) FROM generate_series(2, 20000) AS n")

test('a plan for a small table is not kept when the table has grown, on any connection', async () => {
  const [one, other] = clients as [pg.Client, pg.Client]
  const renew = planRenewal(0)
  for (const client of [one, other]) {
    await renew(client)
    expect(await plan(client)).toContain('Seq Scan')
  }
  await grow(one)
  for (const client of [one, other]) {
    expect(await plan(client)).toContain('Seq Scan')
    await renew(client)
    expect(await plan(client)).toContain('Index')
  }
})

test('plans are kept while nothing has grown, and when it was little', async () => {
  const [one] = clients as [pg.Client]
  const renew = planRenewal(0)
  await renew(one)
  await one.query("INSERT INTO queue SELECT n, 'short' FROM generate_series(2, 100) AS n")
  const asked = await askedBy(one, async () => {
    await renew(one)
    await renew(one)
  })
  expect(asked).toHaveLength(2)
  expect(asked.join()).not.toContain('DISCARD')
})

test('sizes are looked at now and then, and once for all connections', async () => {
  const [one, other] = clients as [pg.Client, pg.Client]
  const renew = planRenewal(600_000)
  await renew(one)
  await grow(one)
  expect(await askedBy(one, () => renew(one))).toEqual([])
  expect(await askedBy(other, () => renew(other))).toEqual([])
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
