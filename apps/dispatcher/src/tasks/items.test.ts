/** GET /tasks, retry and dry run, over the API of an app on the embedded database. */
import { randomUUID } from 'node:crypto'
import {
  createBell,
  createHealth,
  createMetrics,
  type Database,
  type HttpApp,
} from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ENGINES,
  silentLog as log,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { dispatcherApp } from '../http.ts'
import { shownJoins } from '../joins/shown-joins.ts'
import { shownTasks } from './shown-tasks.ts'
import { acceptTask, type ClaimedTask, claimTasks, recordResult } from './store.ts'
import { type Outcome, settle } from './task.ts'
import { markUpload } from './upload-store.ts'

const CLAIM = { limit: 99, leaseMs: 60_000, maxStarts: 3, worker: 'me', except: [] }
const failure = { type: 'HashError', value: 'The Spectrometer differs', traceback: 'at x.ts:1' }

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let database: Database
  let app: HttpApp
  let rung = 0

  beforeAll(async () => {
    home = await openMigrated(engine, 'dispatcher')
    database = home.database
    const bell = {
      ring() {
        rung += 1
      },
    }
    const tasks = shownTasks(database, { bell, cancelBell: bell, newId: randomUUID })
    const store = acceptTask.bind(undefined, database)
    const accept = { store, bell: createBell(), log, newId: randomUUID, onAccepted() {} }
    const joins = shownJoins(database, { defined: [], onCancelled() {} })
    const needs = { log, metrics: createMetrics(), health: createHealth(), accept, tasks, joins }
    app = await dispatcherApp(needs, { name: 'example', bodyLimit: 10_000 })
  }, 300_000)
  afterAll(async () => {
    await app?.close()
    await home?.close()
  })
  beforeEach(() => database.script('TRUNCATE task CASCADE; TRUNCATE task_outbox'))

  async function add(eventId: string, source = '/s'): Promise<string> {
    const event = JSON.stringify({ specversion: '1.0', id: eventId, source, type: 't' })
    const delivery = { id: randomUUID(), replay: 0 }
    const arrival = { delivery, digest: eventId, source, eventId, event, trace: undefined }
    return (await acceptTask(database, { id: randomUUID(), ...arrival, size: 5 })).taskId
  }

  async function begun(): Promise<ClaimedTask[]> {
    return await claimTasks(database, CLAIM)
  }

  /** Everything that waits comes to this end. */
  async function end(outcome: Extract<Outcome, { kind: 'done' | 'threw' }>): Promise<void> {
    for (const task of await begun()) await recordResult(database, task, settle(outcome))
  }

  const get = async (path: string) => (await app.inject(path)).json()
  const listed = async (query: string): Promise<string[]> =>
    (await get(`/tasks?${query}`)).map(({ eventID }: { eventID: string }) => eventID)
  async function post(path: string) {
    const { statusCode, body } = await app.inject({ method: 'POST', url: path })
    return { statusCode, ...JSON.parse(body) }
  }

  test('tasks are found by state, event, source, kind, text and time, and by all of them together', async () => {
    await add('Failed-1')
    await end({ kind: 'threw', failure })
    await add('done-1')
    await end({ kind: 'done' })
    await add('new-1', '/other')
    expect(await listed('')).toEqual(['new-1', 'done-1', 'Failed-1'])
    expect(await listed('state=failed')).toEqual(['Failed-1'])
    expect(await listed('state=failed,waiting')).toEqual(['new-1', 'Failed-1'])
    expect(await listed('eventID=done-1')).toEqual(['done-1'])
    expect(await listed('source=/other')).toEqual(['new-1'])
    expect(await listed('kind=retry')).toEqual([])
    expect(await listed('text=spectrometer')).toEqual(['Failed-1'])
    expect(await listed('text=FAILED-1')).toEqual(['Failed-1'])
    expect(await listed('text=%25')).toEqual([])
    expect(await listed('text=1&source=/other')).toEqual(['new-1'])
    const [{ created }] = await get('/tasks?eventID=new-1')
    const after = new Date(Date.parse(created) + 60_000).toISOString()
    expect(await listed(`since=${after}`)).toEqual([])
    expect(await listed(`until=${after}&state=done`)).toEqual(['done-1'])
  })

  test('tasks are found by time also where they were not committed in its order', async () => {
    const day = 24
    const hours = { a: 9 * day, b: 3 * day + 1, c: 3 * day - 2, d: 3 * day + 2, e: 0 }
    for (const [name, ago] of Object.entries(hours)) {
      const id = await add(name)
      await database.query(
        `UPDATE task SET created = '2026-06-10T00:00:00Z'::timestamptz - $2 * interval '1 hour' WHERE id = $1`,
        [id, ago],
      )
    }
    const threeDays = '2026-06-07T00:00:00Z'
    expect(await listed(`until=${threeDays}`)).toEqual(['d', 'b', 'a'])
    expect(await listed(`since=${threeDays}`)).toEqual(['e', 'c'])
    expect(await listed(`since=2026-06-06T23:00:00Z&until=2026-06-07T02:00:00Z`)).toEqual(['b'])
    expect(await listed(`since=2026-06-06T23:00:00Z&until=2026-06-07T02:00:01Z`)).toEqual([
      'c',
      'b',
    ])
    expect(await listed('since=2027-01-01T00:00:00Z')).toEqual([])
    expect(await listed('until=2025-01-01T00:00:00Z')).toEqual([])
  })

  test('the list shows how far a task is, and leads from page to page with its filters', async () => {
    for (const name of ['a', 'b', 'c']) await add(name)
    const [oldest] = await begun()
    await database.query(`UPDATE task SET progress = '{"step":"x","done":1}' WHERE id = $1`, [
      oldest?.id,
    ])
    const first = await app.inject('/tasks?state=running&limit=2')
    expect(first.json().map(({ eventID }: { eventID: string }) => eventID)).toEqual(['c', 'b'])
    const next = /^<(.*)>; rel="next"$/.exec(String(first.headers['link']))?.[1]
    const second = await app.inject(String(next))
    expect(second.headers['link']).toBeUndefined()
    expect(second.json()).toMatchObject([
      {
        ...{ taskID: oldest?.id, taskStatus: '102 Processing', state: 'running', kind: 'event' },
        ...{ eventID: 'a', size: 5, attempts: 1, worker: 'me', progress: { step: 'x', done: 1 } },
        ...{ settled: null, repeats: null, started: expect.stringMatching(/Z$/) },
      },
    ])
  })

  test.each(['state=gone', 'state=failed,', 'kind=x', 'since=yesterday', 'limit=0', 'text='])(
    '/tasks?%s is refused',
    async (query) => expect((await app.inject(`/tasks?${query}`)).statusCode).toBe(400),
  )

  test('a task that has failed is retried as a task of its own, once, and takes its deliveries along', async () => {
    const first = await add('E-1')
    await end({ kind: 'threw', failure })
    const before = rung
    const retried = await post(`/tasks/${first}/retry`)
    expect(retried).toMatchObject({ statusCode: 201, taskStatus: '202 Accepted', repeats: first })
    expect(retried.taskID).not.toBe(first)
    expect(rung).toBe(before + 1)
    expect(await post(`/tasks/${first}/retry`)).toMatchObject({
      statusCode: 200,
      taskID: retried.taskID,
    })
    expect(await get(`/tasks/${first}`)).toMatchObject({
      state: 'failed',
      exceptionTraceback: 'at x.ts:1',
      deliveries: [],
      repeatedBy: [{ taskID: retried.taskID, kind: 'retry', taskStatus: '202 Accepted' }],
    })
    const shown = await get(`/tasks/${retried.taskID}`)
    expect(shown).toMatchObject({ kind: 'retry', repeats: first, size: 5, eventID: 'E-1' })
    expect(shown.deliveries).toHaveLength(1)
    const told = await database.query<{ deliveries: unknown[] }>(
      'SELECT deliveries FROM task_outbox WHERE task = $1',
      [retried.taskID],
    )
    expect(told).toEqual([{ deliveries: shown.deliveries }])
    await end({ kind: 'done' })
    expect(await post(`/tasks/${first}/retry`)).toMatchObject({
      statusCode: 200,
      taskStatus: '200 OK',
    })
    expect(await add('E-1')).toBe(retried.taskID)
  })

  test('only what has ended badly can be retried', async () => {
    const task = await add('E-1')
    const refused = await post(`/tasks/${task}/retry`)
    expect(refused.statusCode).toBe(409)
    expect(refused.message).toContain('is 202 Accepted: a task can be retried when it has failed')
    await end({ kind: 'done' })
    expect((await post(`/tasks/${task}/retry`)).statusCode).toBe(409)
    expect((await post(`/tasks/${randomUUID()}/retry`)).statusCode).toBe(404)
    expect((await post('/tasks/x/retry')).statusCode).toBe(422)
    expect((await app.inject(`/tasks/${randomUUID()}`)).statusCode).toBe(404)
  })

  test('two retries of a task that come together have one task', async () => {
    const first = await add('E-1')
    await end({ kind: 'threw', failure })
    const both = await Promise.all([1, 2, 3].map(() => post(`/tasks/${first}/retry`)))
    expect(new Set(both.map(({ taskID }) => taskID)).size).toBe(1)
    expect(both.map(({ statusCode }) => statusCode).sort()).toEqual([200, 200, 201])
  })

  test('a dry run is a task that is no delivery, is told to nobody, and is no answer to the event', async () => {
    const first = await add('E-1')
    await end({ kind: 'threw', failure })
    await database.query('DELETE FROM task_outbox')
    const dry = await post(`/tasks/${first}/dry-run`)
    expect(dry).toMatchObject({ statusCode: 201, taskStatus: '202 Accepted', repeats: first })
    const [claimed] = await begun()
    expect(claimed).toMatchObject({ id: dry.taskID, kind: 'dry-run', repeats: first, size: 5 })
    if (claimed) await recordResult(database, claimed, settle({ kind: 'threw', failure }))
    expect(await database.query('SELECT seq FROM task_outbox')).toEqual([])
    expect((await post(`/tasks/${dry.taskID}/retry`)).message).toContain('is a dry run')
    const again = await post(`/tasks/${dry.taskID}/dry-run`)
    expect(await get(`/tasks/${again.taskID}`)).toMatchObject({ repeats: first, deliveries: [] })
    const shown = (await get('/')).map(({ taskID }: { taskID: string }) => taskID)
    expect(shown).toEqual([first])
    expect(await add('E-1')).not.toBe(again.taskID)
    expect((await post(`/tasks/${randomUUID()}/dry-run`)).statusCode).toBe(404)
  })

  test('a task shows what its bundles hold', async () => {
    const id = await add('E-1')
    const [task] = await begun()
    if (task === undefined) throw new Error('nothing to claim')
    const upload = {
      ...{ number: 1, last: true, unsure: false, jobId: null, bundle: null, transaction: null },
      state: 'ending' as const,
    }
    const members = [{ path: 'a.txt', size: 3, sha1: 'abc' }]
    const manifest = { files: 1, bytes: 3, digest: 'd', members }
    await markUpload(database, task, { ...upload, manifest })
    await markUpload(database, task, { ...upload, state: 'done', jobId: 7 })
    expect((await get(`/tasks/${id}`)).uploads).toMatchObject([
      { number: 1, state: 'done', jobId: 7, files: 1, bytes: 3, members },
    ])
    await markUpload(database, task, { ...upload, state: 'begun' })
    expect((await get(`/tasks/${id}`)).uploads).toMatchObject([{ state: 'begun', members: null }])
  })
})
