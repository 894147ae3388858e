/** `dbsync` on PostgreSQL, on databases as the Python service made them. */

import { type Database, migrate, openDatabase } from '@pacifica/platform'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  createTestDatabase,
  IDS,
  PYTHON_DATABASES,
  pythonEvents,
  pythonSubscriptions,
  silentLog,
} from '../../../../../test/harness/index.ts'
import { MIGRATIONS, PYTHON_TABLES, whoseTables } from '../migrations.ts'
import { readCatalog } from './catalog.ts'
import { planPythonSchema } from './plan.ts'
import { type SyncOptions, syncTables } from './sync.ts'

let database: Database
let another: Database
let drop: () => Promise<void>

async function openAnother(url: string): Promise<Database> {
  return openDatabase({ log: silentLog }, { url, folder: 'unused' })
}

beforeEach(async () => {
  const server = await createTestDatabase()
  drop = server.drop
  database = await openAnother(server.url)
  another = await openAnother(server.url)
}, 180_000)
afterEach(async () => {
  await database.close()
  await another.close()
  await drop()
})

const seal = (_auth: object, subscription: string) => `{"sealed": "${subscription}"}`
const sync = (options: Partial<SyncOptions> = {}) =>
  syncTables(database, { seal }, { timezone: 'Europe/Berlin', ...options })
const rows = <T extends object>(text: string) => database.query<T>(text)

const SHAPE = `
  SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default
  FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`
const INDEXES = `
  SELECT tablename, regexp_replace(indexdef, '^.* USING ', '') AS def FROM pg_indexes
  WHERE schemaname = 'public' ORDER BY 1, 2`

async function shapeOf(of: Database) {
  return { columns: await of.query(SHAPE), indexes: await of.query(INDEXES) }
}

async function freshShape() {
  const { url, drop: dropFresh } = await createTestDatabase()
  const fresh = await openAnother(url)
  await migrate(fresh, MIGRATIONS)
  const shape = await shapeOf(fresh)
  await fresh.close()
  await dropFresh()
  return shape
}

const oldest = Object.keys(PYTHON_DATABASES)[0]

test.each(Object.entries(PYTHON_DATABASES))(
  'the tables of %s become those of a fresh database',
  async (version, script) => {
    await database.script(script)
    expect(await whoseTables(database)).toBe('python')
    const report = await sync()
    expect(report.upgrade?.version).toBe(version === oldest ? '0.0' : version)
    expect(await shapeOf(database)).toEqual(await freshShape())
    expect(await rows('SELECT * FROM notificationsystem ORDER BY part')).toEqual([
      { part: 'major', value: 4 },
      { part: 'minor', value: 0 },
    ])
    expect(await sync()).toEqual({ migrations: [] })
  },
)

test('the specification of the Python schema is what the first migration makes', async () => {
  await database.script(PYTHON_DATABASES['3.0'] ?? '')
  const plan = planPythonSchema(await readCatalog(database, PYTHON_TABLES))
  expect(plan).toEqual({ statements: [], problems: [] })
})

describe('a living database of 3.0', () => {
  beforeEach(async () => {
    await database.script(PYTHON_DATABASES['3.0'] ?? '')
    await database.script(pythonSubscriptions('http://example.org/in', { auth: true }))
    await database.script(pythonEvents({ matches: true }))
  })

  test('naive times are read in the zone, summer and winter', async () => {
    await sync()
    expect(
      await rows(`SELECT created, updated FROM eventmatch WHERE uuid = '${IDS.plain}'`),
    ).toEqual([
      { created: new Date('2019-07-01T10:00:00.123Z'), updated: new Date('2019-12-01T11:00:00Z') },
    ])
    const [match] = await rows('SELECT min(created) AS created FROM eventlogmatch')
    expect(match).toEqual({ created: new Date('2019-07-01T10:00:01Z') })
    const [log] = await rows(`SELECT created FROM eventlog WHERE uuid = '${IDS.oldestEvent}'`)
    expect(log).toEqual({ created: new Date('2019-01-01T11:00:00Z') })
  })

  test('old events are history: matched, described, with their deliveries; none waits to be matched', async () => {
    await sync()
    expect(
      await rows(
        'SELECT DISTINCT state, due, digest FROM eventlog LEFT JOIN event_state ON event = uuid',
      ),
    ).toEqual([{ state: 'matched', due: null, digest: null }])
    expect(
      await rows(
        'SELECT uuid, spec_version, source, event_id, event_type, event_time FROM eventlog ORDER BY uuid',
      ),
    ).toEqual([
      described(IDS.event),
      described(IDS.oldestEvent),
      {
        uuid: IDS.unreadableEvent,
        spec_version: null,
        source: null,
        event_id: null,
        event_type: null,
        event_time: null,
      },
    ])
    expect(await rows('SELECT count(*)::int AS n FROM eventlogmatch')).toEqual([{ n: 2 }])
    expect(await rows('SELECT count(*)::int AS n FROM delivery')).toEqual([{ n: 0 }])
  })

  function described(uuid: string) {
    return {
      uuid,
      spec_version: '0.1',
      source: '/pacifica/metadata/ingest',
      event_id: 'metadata.ingest.1',
      event_type: 'org.pacifica.metadata.ingest',
      event_time: '2019-07-01T12:00:00',
    }
  }

  test('secrets are sealed, those of deleted subscriptions too; passwords leave the URLs', async () => {
    const { upgrade } = await sync()
    expect(upgrade).toMatchObject({ sealed: 3, events: 3, subscriptions: 8, enabled: 6 })
    const stored = await rows<{ uuid: string; auth: string; target_url: string }>(
      'SELECT uuid, auth, target_url FROM eventmatch ORDER BY uuid',
    )
    const authOf = (uuid: string) => stored.find((row) => row.uuid === uuid)?.auth
    for (const uuid of [IDS.basic, IDS.userinfo, IDS.deleted])
      expect(authOf(uuid)).toBe(`{"sealed": "${uuid}"}`)
    for (const uuid of [IDS.plain, IDS.nullAuth, IDS.unparsable]) expect(authOf(uuid)).toBe('{}')
    expect(new Set(stored.map((row) => row.target_url))).toEqual(new Set(['http://example.org/in']))
  })

  test('what we refuse is disabled with the reason, what was disabled or deleted stays so', async () => {
    const { upgrade } = await sync()
    const [unparsable] = await rows<{ error: string }>(
      `SELECT error FROM eventmatch WHERE uuid = '${IDS.unparsable}' AND disabled > now() - interval '1 minute'`,
    )
    expect(unparsable?.error).toMatch(/^jsonpath: /)
    expect(
      await rows(
        `SELECT uuid, disabled, deleted, error FROM eventmatch WHERE uuid IN ('${IDS.deleted}', '${IDS.disabled}') ORDER BY uuid`,
      ),
    ).toEqual([
      { uuid: IDS.deleted, disabled: null, deleted: new Date('2019-07-31T22:00:00Z'), error: null },
      {
        uuid: IDS.disabled,
        disabled: new Date('2019-08-01T22:00:00Z'),
        deleted: null,
        error: '500',
      },
    ])
    const notes = upgrade?.notes.map(({ uuid, note }) => `${uuid} ${note}`) ?? []
    expect(notes).toEqual([
      expect.stringMatching(`${IDS.userinfo} user and password moved`),
      expect.stringMatching(`${IDS.unparsable} disabled: jsonpath: `),
      expect.stringMatching(`${IDS.backslash} jsonpath has a backslash`),
    ])
  })

  test('every subscription is there for the first reader of changes', async () => {
    await sync()
    expect(await rows('SELECT DISTINCT revision FROM eventmatch')).toEqual([{ revision: 1 }])
  })

  test('a dry run says the same and changes nothing', async () => {
    const before = await shapeOf(database)
    const said = await sync({ dryRun: true })
    expect(await shapeOf(database)).toEqual(before)
    expect(await whoseTables(database)).toBe('python')
    expect(await sync()).toEqual(said)
  })

  test('two at once: one does it, the other finds nothing to do', async () => {
    const options = { timezone: 'UTC' }
    const reports = await Promise.all([
      syncTables(database, { seal }, options),
      syncTables(another, { seal }, options),
    ])
    expect(reports.map(({ upgrade }) => upgrade?.version).sort()).toEqual(['3.0', undefined])
  })

  test('a failure leaves everything as it was', async () => {
    const failing = () => {
      throw new Error('no key')
    }
    const upgrade = syncTables(database, { seal: failing }, { timezone: 'UTC' })
    await expect(upgrade).rejects.toThrow('no key')
    expect(await whoseTables(database)).toBe('python')
    expect(await rows("SELECT value FROM notificationsystem WHERE part = 'major'")).toEqual([
      { value: 3 },
    ])
  })

  test('an unknown time zone is refused, a known one is taken in any case', async () => {
    await expect(sync({ timezone: 'CEST' })).rejects.toThrow(
      '--timezone CEST is no time zone: use a name such as Europe/Berlin or UTC',
    )
    expect((await sync({ timezone: 'europe/BERLIN' })).upgrade?.timezone).toBe('Europe/Berlin')
  })
})

test('an empty database gets our tables, an upgraded one what is pending', async () => {
  expect((await sync({ dryRun: true })).migrations.length).toBeGreaterThan(1)
  expect(await whoseTables(database)).toBe('empty')
  expect((await sync()).upgrade).toBeUndefined()
  expect(await whoseTables(database)).toBe('ours')
})

test.each([
  [
    'no target_url',
    'CREATE TABLE eventmatch (uuid uuid PRIMARY KEY, enabled boolean NOT NULL)',
    /eventmatch has no column target_url/,
  ],
  [
    'a later version',
    `${PYTHON_DATABASES['3.0']} UPDATE notificationsystem SET value = 5`,
    /are of version 5/,
  ],
])('tables with %s are refused and left alone', async (_, script, reason) => {
  await database.script(script)
  await expect(sync()).rejects.toThrow(reason)
  expect(await whoseTables(database)).toBe('python')
})

test('columns that somebody added stay, and do not stand in the way', async () => {
  await database.script(PYTHON_DATABASES['3.0'] ?? '')
  await database.query('ALTER TABLE eventlog ADD COLUMN site text NOT NULL')
  await sync()
  await database.query(`INSERT INTO eventlog (uuid, jsondata) VALUES (gen_random_uuid(), '{}')`)
})
