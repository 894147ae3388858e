import { randomUUID } from 'node:crypto'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES, type MigratedDatabase, openMigrated } from '../../../../test/harness/index.ts'
import { acceptTask, claimTasks, type Held } from './store.ts'
import { markUpload, readUploads, type UploadRecord } from './upload-store.ts'

const BEGUN: Omit<UploadRecord, 'ageMs'> = {
  ...{ number: 1, state: 'begun', last: true, unsure: false },
  ...{ jobId: null, bundle: null, transaction: null },
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  let databases: MigratedDatabase
  let one: Database
  let two: Database

  beforeAll(async () => {
    databases = await openMigrated(engine, 'dispatcher')
    one = databases.database
    two = await databases.another()
  })
  afterAll(() => databases.close())

  async function claim(database: Database): Promise<Held> {
    const options = { limit: 1, leaseMs: 0, maxStarts: 9, worker: 'me', except: [] }
    const [held] = await claimTasks(database, options)
    if (held === undefined) throw new Error('nothing to claim')
    return held
  }

  async function aTask(): Promise<Held> {
    await one.query('TRUNCATE task CASCADE')
    const id = randomUUID()
    const names = { digest: id, source: '/s', eventId: id, event: '{}' }
    await acceptTask(one, { id, delivery: undefined, trace: undefined, ...names })
    return await claim(one)
  }

  test('an upload is known from its beginning, and shown when it is done', async () => {
    const held = await aTask()
    const steps: Partial<UploadRecord>[] = [
      {},
      { state: 'ending' },
      { state: 'sent', jobId: 2 ** 40 },
      { state: 'done', jobId: 2 ** 40 },
    ]
    for (const step of steps) expect(await markUpload(one, held, { ...BEGUN, ...step })).toBe(true)
    expect(await readUploads(two, held.id)).toEqual([
      { ...BEGUN, state: 'done', jobId: 2 ** 40, ageMs: expect.any(Number) },
    ])
    const [row] = await one.query<{ bundles: unknown }>('SELECT bundles FROM task WHERE id = $1', [
      held.id,
    ])
    const made = { bundle: null, jobId: 2 ** 40, transaction: null, unsure: false }
    expect(row?.bundles).toEqual([made])
  })

  test('whoever has lost the task changes nothing of its uploads', async () => {
    const first = await aTask()
    await markUpload(one, first, BEGUN)
    const second = await claim(two)
    expect(await markUpload(one, first, { ...BEGUN, state: 'ending' })).toBe(false)
    expect(await readUploads(one, first.id)).toMatchObject([{ state: 'begun' }])
    expect(await markUpload(two, second, { ...BEGUN, state: 'ending' })).toBe(true)
  })

  test('what a task has uploaded is still known when it is begun again', async () => {
    const first = await aTask()
    await markUpload(one, first, { ...BEGUN, state: 'done', bundle: '/a.tar' })
    const { id } = await claim(two)
    const rows = await one.query('SELECT bundles FROM task WHERE id = $1', [id])
    expect(rows).toMatchObject([{ bundles: [{ bundle: '/a.tar' }] }])
  })
})
