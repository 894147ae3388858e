import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLog } from '../../telemetry/log.ts'
import type { Database } from '../database.ts'
import { due, HOUSEKEEPING, keepHouse, type TableState } from './housekeeping.ts'
import { openEmbedded } from './open-embedded.ts'

const log = createLog({ name: 'test', level: 'silent' })
const never = new AbortController().signal
let folder: string
let database: Database

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-db-'))
  database = await openEmbedded(
    { log },
    { folder, housekeeping: { ...HOUSEKEEPING, everyMs: 3_600_000 } },
  )
}, 180_000)
afterAll(async () => {
  await database.close()
  await rm(folder, { recursive: true, force: true })
})

test('what is due depends on how much has changed', () => {
  const quiet: TableState = {
    table: 't',
    rows: 10_000,
    dead: 100,
    insertedSinceVacuum: 100,
    changedSinceAnalyze: 1_499,
  }
  expect(due([quiet], HOUSEKEEPING)).toEqual([])
  expect(due([{ ...quiet, dead: 4_900 }], HOUSEKEEPING)).toEqual(['VACUUM (TRUNCATE false) t'])
  expect(due([{ ...quiet, changedSinceAnalyze: 1_500 }], HOUSEKEEPING)).toEqual(['ANALYZE t'])
})

test('tables are vacuumed and analysed once enough has changed, and then left alone', async () => {
  await database.query('CREATE TABLE "Odd name" (n int)')
  await database.query('INSERT INTO "Odd name" SELECT generate_series(1, 3000)')
  await database.query('UPDATE "Odd name" SET n = n + 1')
  const done = await keepHouse({ sql: database }, HOUSEKEEPING, never)
  expect(done).toEqual(['VACUUM (TRUNCATE false) public."Odd name"', 'ANALYZE public."Odd name"'])
  expect(await keepHouse({ sql: database }, HOUSEKEEPING, never)).toEqual([])
})

test('checkpoints keep the write-ahead log small', async () => {
  await database.query('CREATE TABLE wide (n int, body text)')
  const policy = { ...HOUSEKEEPING, checkpointBytes: 16 * 1024 * 1024 }
  let checkpoints = 0
  for (let round = 0; round < 12; round += 1) {
    await database.query(
      'INSERT INTO wide SELECT n, repeat(md5(n::text), 60) FROM generate_series(1, 8000) n',
    )
    const done = await keepHouse({ sql: database }, policy, never)
    checkpoints += done.filter((statement) => statement === 'CHECKPOINT').length
  }
  expect(checkpoints).toBeGreaterThanOrEqual(6)
  const segments = (await readdir(join(folder, 'data', 'pg_wal'))).filter(
    (name) => name.length === 24,
  )
  expect(segments.length).toBeLessThanOrEqual(10)
})

test('it goes on by itself between other statements, and stops with the database', async () => {
  const busy = await mkdtemp(join(tmpdir(), 'pacifica-db-'))
  const other = await openEmbedded(
    { log },
    { folder: busy, housekeeping: { ...HOUSEKEEPING, everyMs: 50, vacuumRows: 10 } },
  )
  await other.query('CREATE TABLE t (n int PRIMARY KEY)')
  const vacuumed = async () => {
    const [row] = await other.query<{ n: number }>(
      "SELECT vacuum_count AS n FROM pg_stat_user_tables WHERE relname = 't'",
    )
    return row?.n ?? 0
  }
  let n = 0
  while ((await vacuumed()) < 2) {
    await other.transaction(async (sql) => {
      for (let i = 0; i < 20; i += 1) {
        n += 1
        await sql.query('INSERT INTO t VALUES ($1)', [n])
      }
    })
  }
  expect(await other.query('SELECT count(*) FROM t')).toEqual([{ count: n }])
  await other.close()
  await rm(busy, { recursive: true, force: true })
})
