import fs from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { linesOf, spawnTypeScript } from '../../../../../test/harness/index.ts'
import { createLog } from '../../telemetry/log.ts'
import type { Database } from '../database.ts'
import { openDatabase } from '../open-database.ts'
import { isUnavailable } from '../unavailable.ts'

const WRITER = new URL('../../../../../test/harness/embedded-writer.ts', import.meta.url)
const log = createLog({ name: 'test', level: 'silent' })
let folder: string
let opened: Database[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-db-'))
  opened = []
})
afterEach(async () => {
  for (const database of opened) await database.close()
  await rm(folder, { recursive: true, force: true })
})

async function open() {
  const database = await openDatabase({ log }, { folder })
  opened.push(database)
  return database
}

test('what was written is there after closing and opening again, and closing twice is once', async () => {
  const first = await open()
  await first.query('CREATE TABLE kept AS SELECT 7 AS it')
  await first.close()
  await first.close()
  expect(await (await open()).query('SELECT it FROM kept')).toEqual([{ it: 7 }])
})

test('a second process is told in one line who has the folder; a kill -9 frees it and loses no committed row', async () => {
  const writer = spawnTypeScript(WRITER, [folder])
  let last = 0
  for await (const line of linesOf(writer)) {
    if (line === 'open') await expectRefused(writer.pid)
    else last = Number(line)
    if (last === 200) writer.kill('SIGKILL')
  }
  const database = await open()
  const [row] = await database.query<{ count: number; max: number }>(
    'SELECT count(*), max(n) FROM numbers',
  )
  expect(row?.max).toBeGreaterThanOrEqual(last)
  expect(row?.count).toBe(row?.max)
  await expectRefused(process.pid)
})

async function expectRefused(pid: number | undefined) {
  const error = await open().catch((reason: Error) => reason)
  expect(error).toMatchObject({ code: 'DATABASE_FOLDER_IN_USE' })
  const { message } = error as Error
  expect(message).toContain(`${folder} is in use by process ${pid}`)
  expect(message).not.toContain('\n')
}

test('a kill while the database is being made leaves nothing in the way', async () => {
  const writer = spawnTypeScript(WRITER, [folder])
  while (!fs.existsSync(join(folder, 'data.new', 'PG_VERSION'))) await sleep(5)
  writer.kill('SIGKILL')
  for await (const line of linesOf(writer)) expect(line).toBe('not printed')
  expect(fs.existsSync(join(folder, 'data'))).toBe(false)
  expect(await (await open()).query('SELECT 1 AS it')).toEqual([{ it: 1 }])
})

test('a folder of another PostgreSQL, and one that is none, are refused in one line each', async () => {
  await (await open()).close()
  await writeFile(join(folder, 'data', 'PG_VERSION'), '17\n')
  await expect(open()).rejects.toThrow(
    /^The database in .*data is of PostgreSQL 17, this version reads 18: .*$/,
  )
  await rm(join(folder, 'data', 'PG_VERSION'))
  await expect(open()).rejects.toThrow(/^.*data is no database: .*PG_VERSION is missing.*$/)
})

test('a damaged folder is refused with the reason, and lets go of the lock', async () => {
  await (await open()).close()
  await rename(join(folder, 'data', 'global'), join(folder, 'global'))
  await expect(open()).rejects.toMatchObject({ code: 'DATABASE_FOLDER_UNUSABLE' })
  await rename(join(folder, 'global'), join(folder, 'data', 'global'))
  expect(await (await open()).query('SELECT 1 AS it')).toEqual([{ it: 1 }])
})

test('every commit reaches the disk before it is answered', async () => {
  const database = await open()
  await database.query('CREATE TABLE t (n int)')
  let syncs = 0
  await withFsync(
    () => {
      syncs += 1
    },
    async () => {
      for (let n = 1; n <= 5; n += 1) {
        await database.query('INSERT INTO t VALUES ($1)', [n])
        expect(syncs).toBeGreaterThanOrEqual(n)
      }
    },
  )
})

test('when the disk refuses, statements fail as unavailable instead of hanging, and a restart finds what was committed', async () => {
  const database = await open()
  await database.query('CREATE TABLE t AS SELECT 1 AS n')
  const refuse = () => {
    throw new Error('EIO')
  }
  await withFsync(refuse, async () => {
    await expect(database.query('INSERT INTO t VALUES (2)').catch(isUnavailable)).resolves.toBe(
      true,
    )
  })
  await expect(database.query('SELECT 1').catch(isUnavailable)).resolves.toBe(true)
  await expect(database.transaction((sql) => sql.query('SELECT 1'))).rejects.toMatchObject({
    code: '58030',
  })
  await expect(database.check(5_000)).rejects.toThrow(/could not fsync.*restart the service/)
  await database.close()
  expect((await (await open()).query('SELECT n FROM t'))[0]).toEqual({ n: 1 })
})

/** Every fsync of this process, also PGlite's, first calls `before`. */
async function withFsync(before: () => void, work: () => Promise<void>) {
  const { fsyncSync } = fs
  fs.fsyncSync = (fd) => {
    before()
    fsyncSync(fd)
  }
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    fs.fsyncSync = fsyncSync
    syncBuiltinESMExports()
  }
}

test('a chain of statements does not keep timers waiting', async () => {
  const database = await open()
  let ticked = false
  setTimeout(() => {
    ticked = true
  }, 1)
  for (let n = 0; n < 500; n += 1) await database.query('SELECT 1')
  expect(ticked).toBe(true)
})

test('the engine is the PostgreSQL that the folder check expects', async () => {
  const [row] = await (await open()).query<{ major: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  )
  expect(row?.major).toBe(18)
})
