import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase } from '../../../../test/harness/index.ts'
import { createLog } from '../telemetry/log.ts'
import type { Database } from './database.ts'
import { migrate, migrateWithin, pendingMigrations } from './migrate.ts'
import { openDatabase } from './open-database.ts'

const log = createLog({ name: 'test', level: 'silent' })
const FIRST = 'CREATE TABLE a (n int);\nINSERT INTO a VALUES (1); -- ;\n'
const SECOND = "ALTER TABLE a ADD COLUMN m text DEFAULT 'x;y';"

describe.each(['embedded', 'postgresql'] as const)('%s', (engine) => {
  let folder: string
  let migrations: string
  let database: Database
  let server: Awaited<ReturnType<typeof createTestDatabase>> | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pacifica-migrate-'))
    migrations = join(folder, 'migrations')
    if (engine === 'postgresql') server = await createTestDatabase()
    database = await openDatabase({ log }, { url: server?.url, folder: join(folder, 'db') })
  }, 180_000)
  afterAll(async () => {
    await database.close()
    await server?.drop()
    await rm(folder, { recursive: true, force: true })
  })
  beforeEach(async () => {
    await database.script(
      'DROP TABLE IF EXISTS "_prisma_migrations"; DROP TABLE IF EXISTS a; DROP TABLE IF EXISTS b',
    )
    await rm(migrations, { recursive: true, force: true })
    await write('1_first', FIRST)
    await write('2_second', SECOND)
    await writeFile(join(migrations, 'migration_lock.toml'), 'provider = "postgresql"\n')
  })

  async function write(name: string, text: string) {
    await mkdir(join(migrations, name), { recursive: true })
    await writeFile(join(migrations, name, 'migration.sql'), text)
  }

  test('applies what is pending, in order, once, and records it as Prisma does', async () => {
    expect(await pendingMigrations(database, migrations)).toEqual({
      pending: ['1_first', '2_second'],
      changed: [],
      unknown: [],
    })
    expect(await migrate(database, migrations)).toEqual(['1_first', '2_second'])
    expect(await migrate(database, migrations)).toEqual([])
    await write('3_third', 'CREATE TABLE b (n int)')
    expect(await migrate(database, migrations)).toEqual(['3_third'])
    expect(await database.query('SELECT * FROM a')).toEqual([{ n: 1, m: 'x;y' }])
    const rows = await database.query('SELECT * FROM "_prisma_migrations" ORDER BY started_at')
    expect(rows).toHaveLength(3)
    expect(rows[0]).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      checksum: createHash('sha256').update(FIRST).digest('hex'),
      finished_at: expect.any(Date),
      migration_name: '1_first',
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date),
      applied_steps_count: 1,
    })
  })

  test('one that fails leaves nothing of itself, and those before it stay', async () => {
    await write('2_second', 'CREATE TABLE b (n int); SELECT 1/0;')
    await expect(migrate(database, migrations)).rejects.toMatchObject({
      code: 'MIGRATION',
      message: 'Migration 2_second failed and was rolled back: division by zero',
    })
    expect(await pendingMigrations(database, migrations)).toEqual({
      pending: ['2_second'],
      changed: [],
      unknown: [],
    })
    expect(await database.query("SELECT to_regclass('b') AS it")).toEqual([{ it: null }])
    await write('2_second', SECOND)
    expect(await migrate(database, migrations)).toEqual(['2_second'])
  })

  test('within a transaction it is all or nothing, and what is there already is recorded without being run', async () => {
    await database.query('CREATE TABLE a (n int)')
    const present = ['1_first']
    await write('3_third', 'SELECT 1/0')
    const failing = database.transaction((sql) => migrateWithin(sql, migrations, { present }))
    await expect(failing).rejects.toMatchObject({ code: 'MIGRATION' })
    expect((await pendingMigrations(database, migrations)).pending).toHaveLength(3)
    await write('3_third', 'CREATE TABLE b (n int)')
    const applied = database.transaction((sql) => migrateWithin(sql, migrations, { present }))
    expect(await applied).toEqual(['2_second', '3_third'])
    expect(await database.query('SELECT * FROM a')).toEqual([])
    expect(await pendingMigrations(database, migrations)).toEqual({
      pending: [],
      changed: [],
      unknown: [],
    })
  })

  test('one that was changed after it had been applied is refused, and nothing is applied', async () => {
    await migrate(database, migrations)
    await write('1_first', `${FIRST}-- a harmless comment`)
    await write('3_third', 'CREATE TABLE b (n int)')
    expect(await pendingMigrations(database, migrations)).toEqual({
      pending: ['3_third'],
      changed: ['1_first'],
      unknown: [],
    })
    await expect(migrate(database, migrations)).rejects.toThrow(
      /^Migration 1_first was changed after it had been applied/,
    )
    expect(await database.query("SELECT to_regclass('b') AS it")).toEqual([{ it: null }])
  })

  test('those of a later version are named', async () => {
    await migrate(database, migrations)
    await rm(join(migrations, '2_second'), { recursive: true })
    expect(await pendingMigrations(database, migrations)).toEqual({
      pending: [],
      changed: [],
      unknown: ['2_second'],
    })
    expect(await migrate(database, migrations)).toEqual([])
  })

  test('ones that another process applies at the same time are applied once', async () => {
    await write('2_second', 'SELECT pg_sleep(0.2); ALTER TABLE a ADD COLUMN m text;')
    const other =
      engine === 'embedded'
        ? database
        : await openDatabase({ log }, { url: server?.url, folder: 'unused' })
    for (const each of [database, other]) await pendingMigrations(each, migrations)
    const both = await Promise.all([migrate(database, migrations), migrate(other, migrations)])
    expect(both.flat().sort()).toEqual(['1_first', '2_second'])
    if (other !== database) await other.close()
  })

  test('one that Prisma began and did not finish is left to a person', async () => {
    await migrate(database, migrations)
    await database.query(
      `UPDATE "_prisma_migrations" SET finished_at = NULL WHERE migration_name = '2_second'`,
    )
    await expect(migrate(database, migrations)).rejects.toThrow(
      /2_second was begun by Prisma's tool/,
    )
    await database.query(
      `UPDATE "_prisma_migrations" SET rolled_back_at = now(), finished_at = NULL WHERE migration_name = '2_second'`,
    )
    expect((await pendingMigrations(database, migrations)).pending).toEqual(['2_second'])
  })

  test('a folder that is missing, or one without its file, is named', async () => {
    await expect(migrate(database, join(folder, 'nowhere'))).rejects.toThrow(
      /nowhere cannot be read/,
    )
    await mkdir(join(migrations, '9_empty'))
    await expect(migrate(database, migrations)).rejects.toThrow(/9_empty holds no migration.sql/)
  })
})
