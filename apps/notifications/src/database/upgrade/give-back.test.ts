/** `dbsync --back` on PostgreSQL. */
import { type Database, openDatabase } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createTestDatabase,
  IDS,
  PYTHON_DATABASES,
  pythonEvents,
  pythonSubscriptions,
  silentLog,
} from '../../../../../test/harness/index.ts'
import { whoseTables } from '../migrations.ts'
import { type GiveBackOptions, giveBack } from './give-back.ts'
import { madeBy } from './made-by-us.ts'
import { syncTables } from './sync.ts'

let database: Database
let drop: () => Promise<void>

beforeEach(async () => {
  const server = await createTestDatabase()
  drop = server.drop
  database = await openDatabase({ log: silentLog }, { url: server.url, folder: 'unused' })
  await database.script(PYTHON_DATABASES['3.0'] ?? '')
  await database.script(pythonSubscriptions('http://example.org/in', { auth: true }))
  await database.script(pythonEvents({ matches: true }))
}, 180_000)
afterEach(async () => {
  await database.close()
  await drop()
})

const timezone = 'America/Los_Angeles'
const seal = (auth: object) => JSON.stringify({ sealed: auth })
const open = ({ auth }: { auth: string }) => {
  const { sealed, ...plain } = JSON.parse(auth)
  return sealed ?? plain
}
const back = (options: Partial<GiveBackOptions> = {}) =>
  giveBack(database, { open }, { timezone, ...options })

const SHAPE = `
  SELECT table_name, column_name, data_type, is_nullable, column_default
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`
const TRIGGERS = `SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1`
const INDEXES = `SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1`
const CONTENT = `
  SELECT (SELECT json_agg(t ORDER BY uuid) FROM eventlog t) AS events,
         (SELECT json_agg(t ORDER BY uuid) FROM eventlogmatch t) AS matches,
         (SELECT json_agg(t ORDER BY uuid) FROM eventmatch t) AS subscriptions,
         (SELECT json_agg(t ORDER BY part) FROM notificationsystem t) AS version`

async function everything() {
  return {
    shape: await database.query(SHAPE),
    indexes: await database.query(INDEXES),
    triggers: await database.query(TRIGGERS),
    content: (await database.query(CONTENT))[0],
  }
}

interface Row {
  readonly uuid: string
  readonly [column: string]: unknown
}

test('there and back: the tables, the times and all that was not refused are as they were', async () => {
  const before = await everything()
  await syncTables(database, { seal }, { timezone })
  expect(await back()).toEqual({ timezone, pendingEvents: 0, pendingDeliveries: 0, disabled: 0 })
  const after = await everything()
  expect(after.shape).toEqual(before.shape)
  expect(after.indexes).toEqual(before.indexes)
  expect(after.triggers).toEqual(before.triggers)
  const { subscriptions: were, ...others } = before.content as { subscriptions: Row[] }
  const { subscriptions: are, ...othersNow } = after.content as { subscriptions: Row[] }
  expect(othersNow).toEqual(others)
  const changed: string[] = [IDS.nullAuth, IDS.userinfo, IDS.unparsable]
  const same = (rows: Row[]) =>
    rows
      .filter(({ uuid }) => !changed.includes(uuid))
      .map((row) => ({ ...row, auth: JSON.parse(String(row['auth'])) }))
  expect(same(are)).toEqual(same(were))
  expect(are.find(({ uuid }) => uuid === IDS.userinfo)).toMatchObject({
    target_url: 'http://example.org/in',
    auth: '{"type":"basic","basic":{"username":"you","password":"p@ss"}}',
  })
  expect((await syncTables(database, { seal }, { timezone })).upgrade?.version).toBe('3.0')
})

test('what we delivered is noted as Python would have; what it cannot serve is disabled', async () => {
  await syncTables(database, { seal }, { timezone })
  await database.script(`
    INSERT INTO delivery (uuid, event, subscription, owner, state, settled)
      VALUES ('00000000-0000-4000-8000-000000000300', '${IDS.event}', '${IDS.basic}', 'dmlb2001', 'delivered', now());
    INSERT INTO policy_answer (event, owner, state, status_code, body)
      VALUES ('${IDS.event}', 'dmlb2001', 'allowed', 200, 'yes');
    INSERT INTO attempt (delivery, number, replay, started, duration_ms, outcome, status_code, body)
      VALUES ('00000000-0000-4000-8000-000000000300', 1, 0, now(), 1, 'refused', 500, 'no'),
             ('00000000-0000-4000-8000-000000000300', 2, 0, now(), 1, 'accepted', 200, 'ok');
    UPDATE eventmatch SET target_url = 'dispatch://example' WHERE uuid = '${IDS.plain}'`)
  expect(await back()).toMatchObject({ disabled: 1 })
  expect(
    await database.query(
      `SELECT policy_status_code, policy_resp_body, target_status_code, target_resp_body FROM eventlogmatch
       WHERE event_match_id = '${IDS.basic}'`,
    ),
  ).toEqual([
    {
      policy_status_code: '200',
      policy_resp_body: 'yes',
      target_status_code: '200',
      target_resp_body: 'ok',
    },
  ])
  const [plain] = await database.query(
    `SELECT error FROM eventmatch WHERE uuid = '${IDS.plain}' AND disabled IS NOT NULL`,
  )
  expect(plain).toEqual({ error: 'the Python service cannot serve this target or dialect' })
})

test('while something waits it is refused, unless that is given up', async () => {
  await syncTables(database, { seal }, { timezone })
  await database.query(`
    WITH event AS (INSERT INTO eventlog (uuid, jsondata) VALUES (gen_random_uuid(), '{}') RETURNING uuid)
    INSERT INTO event_state (event) SELECT uuid FROM event`)
  expect(await back({ dryRun: true })).toMatchObject({ pendingEvents: 1 })
  await expect(back()).rejects.toThrow(/^1 events and 0 deliveries still wait/)
  expect(await whoseTables(database)).toBe('ours')
  await back({ abandonPending: true })
  expect(await whoseTables(database)).toBe('python')
})

test("Python's own tables are not ours to give back", async () => {
  await expect(back()).rejects.toThrow(/^There is nothing to give back/)
})

test('what a migration made is read out of its statements', () => {
  const script = `-- CREATE TABLE "no" (x int);
CREATE TABLE "delivery" ("a" int);
ALTER TABLE "eventlog"
  ALTER COLUMN "created" SET DEFAULT now(),
  ADD COLUMN "one" TEXT,
  ADD COLUMN IF NOT EXISTS two TEXT;
ALTER TABLE "delivery" ADD COLUMN "b" int;
CREATE FUNCTION "forget"() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM t; RETURN NULL; END $$;`
  expect(madeBy(script)).toEqual({
    tables: ['delivery'],
    functions: ['forget'],
    columns: [
      { table: 'eventlog', column: 'one' },
      { table: 'eventlog', column: 'two' },
    ],
  })
})

test('dead letters about which nobody has decided are not thrown away unasked', async () => {
  await syncTables(database, { seal }, { timezone })
  await database.query(
    `INSERT INTO dead_letter (key, why, exchange, routing_key, properties, headers, body)
     VALUES ('k', 'w', '', 'q', '{}', '{}', '')`,
  )
  await expect(back()).rejects.toThrow(/^1 dead letters wait for a decision/)
  await database.query(`UPDATE dead_letter SET state = 'dismissed'`)
  await back()
  expect(await whoseTables(database)).toBe('python')
})
