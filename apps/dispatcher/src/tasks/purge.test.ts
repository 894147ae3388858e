import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ENGINES,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from '../../../../test/harness/index.ts'
import { purgeStep, purgeTasks } from './purge.ts'
import { acceptTask } from './store.ts'

const { signal } = new AbortController()
const HOUR = 3_600_000

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let database: Database
  let folder: string

  beforeAll(async () => {
    home = await openMigrated(engine, 'dispatcher')
    database = home.database
    folder = await mkdtemp(join(tmpdir(), 'purge-'))
  }, 300_000)
  afterAll(async () => {
    await home?.close()
    await rm(folder, { recursive: true })
  })

  /** In this state, and settled so many hours ago if it is settled at all. */
  async function task(state: string, hours: number | null): Promise<string> {
    const [id, delivery] = [randomUUID(), { id: randomUUID(), replay: 0 }]
    const event = { digest: id, source: '/s', eventId: id, event: '{}', trace: undefined }
    await acceptTask(database, { id, delivery, ...event })
    await database.query(
      `UPDATE task SET state = $2, settled = now() - $3::float8 * interval '1 h' WHERE id = $1`,
      [id, state, hours],
    )
    await database.query(
      `INSERT INTO task_upload (task, number, state) VALUES ('${id}', 1, 'done')`,
    )
    await database.query(
      `INSERT INTO task_log (task, claim, stream, text) VALUES ('${id}', 1, 'out', 'x')`,
    )
    return id
  }
  const left = async () =>
    (await database.query<{ id: string }>('SELECT id FROM task ORDER BY seq')).map(({ id }) => id)

  test('tasks that ended long ago go with all that belongs to them, batch by batch; others stay', async () => {
    const kept = [
      await task('waiting', null),
      await task('running', null),
      await task('retrying', null),
      await task('done', 1),
    ]
    for (const state of ['done', 'failed', 'cancelled', 'timed-out', 'unrouted'])
      await task(state, 3)
    expect(await purgeTasks(database, { olderMs: 2 * HOUR, signal, batch: 2 })).toBe(5)
    expect(await left()).toEqual(kept)
    for (const table of ['task_upload', 'task_log', 'task_delivery']) {
      const [row] = await database.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)
      expect(row?.n).toBe(kept.length)
    }
  })

  test('without a retention all tasks stay; bundles of dry runs go by their age', async () => {
    await writeFile(join(folder, 'new.tar'), '')
    await writeFile(join(folder, 'old.tar'), '')
    await utimes(join(folder, 'old.tar'), 0, 0)
    const before = await left()
    const options = { retentionMs: undefined, dryRunFolder: folder, dryRunKeepMs: HOUR }
    const step = purgeStep({ database, log: silentLog, signal }, options)
    expect(await step()).toBe(false)
    expect(await readdir(folder)).toEqual(['new.tar'])
    expect(await left()).toEqual(before)
  })
})
