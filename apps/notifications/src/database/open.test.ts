/** What a start makes of the database that it finds, on PostgreSQL. */
import {
  createHealth,
  createLifetime,
  createLog,
  type Database,
  type LifetimeControl,
  openDatabase,
} from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, PYTHON_DATABASES, silentLog } from '../../../../test/harness/index.ts'
import { readNotificationsConfig } from '../config.ts'
import { whoseTables } from './migrations.ts'
import { openTables } from './open.ts'

let database: Database
let url: string
let drop: () => Promise<void>
let life: LifetimeControl

beforeEach(async () => {
  const server = await createTestDatabase()
  drop = server.drop
  url = server.url
  database = await openDatabase({ log: silentLog }, { url, folder: 'unused' })
  life = createLifetime({ log: silentLog }, { graceMs: 10_000 })
}, 180_000)
afterEach(async () => {
  await life.stop('the test is over')
  await database.close()
  await drop()
})

const lines: string[] = []
const log = createLog({
  name: 'test',
  level: 'info',
  destination: { write: (line: string) => void lines.push(line) },
})

function start(env: Record<string, string> = {}, health = createHealth()) {
  const config = readNotificationsConfig({
    env: { DATABASE_URL: url, POLICY_URL: 'allow-all', ...env },
  })
  return openTables({ life, log, health }, config)
}

test('a fresh database gets its tables, at several starts at once too', async () => {
  await Promise.all([start(), start(), start()])
  expect(await whoseTables(database)).toBe('ours')
})

test('tables of the Python service are left to dbsync', async () => {
  await database.script(PYTHON_DATABASES['3.0'] ?? '')
  await expect(start()).rejects.toMatchObject({
    code: 'TABLES_OF_PYTHON',
    message:
      'The database holds the tables of the Python service: stop that service, then run pacifica-notifications-cmd dbsync',
  })
  expect(await whoseTables(database)).toBe('python')
})

test('told not to migrate, it says what to run, and starts once that was done', async () => {
  await expect(start({ MIGRATE_AT_START: 'no' })).rejects.toThrow(
    /^The database lacks \d+ migrations \(.*python_schema.*\) and MIGRATE_AT_START is no: run pacifica-notifications-cmd dbsync$/,
  )
  expect(await whoseTables(database)).toBe('empty')
  await start()
  await start({ MIGRATE_AT_START: 'no' })
})

test('tables of a later version are told in one line, at the start or when they come, and used', async () => {
  const running = createHealth()
  await start({}, running)
  lines.length = 0
  const newer = () => lines.filter((line) => line.includes('database.newer'))
  await database.query(
    `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '2999_later', now())`,
  )
  for (const _twice of [1, 2]) expect((await running.report()).ready).toBe(true)
  expect(newer()).toEqual([expect.stringContaining('"migrations":["2999_later"]')])
  await start()
  expect(newer()).toHaveLength(2)
})
