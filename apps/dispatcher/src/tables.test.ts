/** What a start makes of the tables that it finds, on PostgreSQL. */
import { createLog, type Database, openDatabase, readConfig } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase } from '../../../test/harness/index.ts'
import { dispatcherSettings } from './config.ts'
import { migrateTables, prepareTables } from './tables.ts'

let lines: string[]
let database: Database
let url: string
let drop: () => Promise<void>
const log = createLog({
  name: 'test',
  level: 'info',
  destination: { write: (line: string) => void lines.push(line) },
})

beforeEach(async () => {
  lines = []
  const server = await createTestDatabase()
  url = server.url
  drop = server.drop
  database = await openDatabase({ log }, { url, folder: 'unused' })
}, 180_000)
afterEach(async () => {
  await database.close()
  await drop()
})

test('told not to migrate, it says what to run, and starts once that was done', async () => {
  const start = () => prepareTables({ database, log }, { migrateAtStart: false })
  await expect(start()).rejects.toThrow(
    /^The database lacks \d+ migrations \(.*\) and MIGRATE_AT_START is no: start the dispatcher with --migrate once, /,
  )
  const env = { DISPATCHER_DATABASE_URL: url }
  const config = readConfig(dispatcherSettings, { env })
  expect(await migrateTables({ log }, config)).not.toEqual([])
  expect(await migrateTables({ log }, config)).toEqual([])
  expect((await (await start())()).pending).toEqual([])
})

test('tables of a later version are told in one line, at the start or when they come, and used', async () => {
  const look = await prepareTables({ database, log }, { migrateAtStart: true })
  const newer = () => lines.filter((line) => line.includes('database.newer'))
  await look()
  expect(newer()).toEqual([])
  await database.query(
    `INSERT INTO "_prisma_migrations" (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '2999_later', now())`,
  )
  await look()
  await look()
  expect(newer()).toEqual([expect.stringContaining('"migrations":["2999_later"]')])
  expect(newer()[0]).toContain('this process goes on; replace it')
  await prepareTables({ database, log }, { migrateAtStart: false })
  expect(newer()).toHaveLength(2)
})
