/** /joins over the API of an app on PostgreSQL; joins.test.ts has both engines. */
import { randomUUID } from 'node:crypto'
import {
  createBell,
  createHealth,
  createMetrics,
  type Database,
  type HttpApp,
} from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  silentLog as log,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { dispatcherApp } from '../http.ts'
import { shownTasks } from '../tasks/shown-tasks.ts'
import { acceptTask, claimTasks } from '../tasks/store.ts'
import { fillSlot } from './fill.ts'
import { shownJoins } from './shown-joins.ts'

const CLAIM = { limit: 99, leaseMs: 3_600_000, maxStarts: 3, worker: 'me', except: [] }

let home: MigratedDatabase
let database: Database
let app: HttpApp
let cancelled = 0

beforeAll(async () => {
  home = await openMigrated('postgresql', 'dispatcher')
  database = home.database
  const bell = createBell()
  const tasks = shownTasks(database, { bell, cancelBell: bell, newId: randomUUID })
  const onCancelled = () => {
    cancelled += 1
  }
  const joins = shownJoins(database, { defined: ['pair'], onCancelled })
  const store = acceptTask.bind(undefined, database)
  const accept = { store, bell, log, newId: randomUUID, onAccepted() {} }
  const needs = { log, metrics: createMetrics(), health: createHealth(), accept, tasks, joins }
  app = await dispatcherApp(needs, { name: 'example', bodyLimit: 10_000 })
}, 300_000)
afterAll(async () => {
  await app?.close()
  await home?.close()
})

/** The task of an event in a slot. */
async function add(name: string, slot: string, key: string): Promise<string> {
  const eventId = `${name} ${slot} ${key}`
  const event = JSON.stringify({ specversion: '1.0', id: eventId, source: '/s', type: 't' })
  const arrival = { delivery: undefined, digest: eventId, source: '/s', eventId, event }
  const { taskId } = await acceptTask(database, { id: randomUUID(), ...arrival, trace: undefined })
  const task = (await claimTasks(database, CLAIM)).find(({ id }) => id === taskId)
  if (task === undefined) throw new Error('it was not claimed')
  await fillSlot(
    database,
    task,
    {
      ...{ name, slot, key, slots: ['raw', 'dark'], deadlineMs: 60_000 },
      ...{ atDeadline: 'run', onDuplicate: 'keep', onLate: 'open' },
    },
    randomUUID,
  )
  return taskId
}

const get = async (path: string) => (await app.inject(path)).json()
const keys = async (query: string) =>
  (await get(`/joins?${query}`)).map(({ key }: { key: string }) => key)

test('joins are listed by state, name and key, page by page, and shown whole', async () => {
  const raw = await add('pair', 'raw', 'K 1&2')
  const dark = await add('pair', 'dark', 'K 1&2')
  await add('old', 'raw', 'K-2')
  const waiting = await add('pair', 'raw', 'K-3')
  expect(await keys('')).toEqual(['K-3', 'K-2', 'K 1&2'])
  expect(await keys('state=open')).toEqual(['K-3', 'K-2'])
  expect(await keys('state=complete,failed')).toEqual(['K 1&2'])
  expect(await keys('name=old')).toEqual(['K-2'])
  expect(await keys('key=K+1%262&name=pair')).toEqual(['K 1&2'])
  const first = await app.inject('/joins?name=pair&limit=1')
  const next = /^<(.*)>; rel="next"$/.exec(String(first.headers['link']))?.[1]
  const second = await app.inject(String(next))
  const [complete] = second.json()
  expect(second.headers['link']).toBeUndefined()
  expect(complete).toMatchObject({
    ...{
      key: 'K 1&2',
      state: 'complete',
      defined: true,
      missing: [],
      taskStatus: '102 Processing',
    },
    slots: [
      { slot: 'raw', taskID: raw, eventID: 'pair raw K 1&2', source: '/s' },
      { slot: 'dark', taskID: dark },
    ],
  })
  expect(await get(`/joins/${complete.joinID}`)).toEqual(complete)
  expect(await get(`/tasks/${complete.taskID}`)).toMatchObject({
    kind: 'join',
    join: complete.joinID,
  })
  const [open] = await get('/joins?key=K-3')
  expect(open).toMatchObject({
    ...{ state: 'open', missing: ['dark'], taskID: null, taskStatus: null, settled: null },
    slots: [
      { slot: 'raw' },
      { slot: 'dark', taskID: null, eventID: null, source: null, filled: null },
    ],
  })
  expect(await get(`/get/${waiting}`)).toMatchObject({
    ...{ taskStatus: '202 Accepted', join: open.joinID },
    progress: { step: 'waits in the join pair' },
  })
  expect(await get('/tasks?state=joined')).toHaveLength(2)
  expect((await get('/joins?name=old'))[0]).toMatchObject({ state: 'open', defined: false })
})

test('an open join can be cancelled, with the tasks of its events; another cannot', async () => {
  const task = await add('pair', 'raw', 'K-4')
  const [{ joinID }] = await get('/joins?key=K-4')
  const cancel = (id: string) => app.inject({ method: 'DELETE', url: `/joins/${id}` })
  for (const _twice of [1, 2]) {
    expect((await cancel(joinID)).json()).toEqual({ joinID, state: 'cancelled' })
  }
  expect(cancelled).toBe(1)
  expect(await get(`/get/${task}`)).toMatchObject({
    ...{ taskStatus: '499 Client Closed Request', exceptionType: 'JoinCancelledError' },
  })
  await add('pair', 'raw', 'K-5')
  await add('pair', 'dark', 'K-5')
  const [complete] = await get('/joins?key=K-5')
  const refused = await cancel(complete.joinID)
  expect([refused.statusCode, refused.json().message]).toEqual([
    ...[409, `join ${complete.joinID} is not open: complete`],
  ])
  expect((await cancel(randomUUID())).statusCode).toBe(404)
  expect((await cancel('x')).json().message).toContain('"x" is no join id')
})

test('cancelling the task of an event takes it out of its join', async () => {
  const task = await add('pair', 'raw', 'K-6')
  const answer = await app.inject({ method: 'DELETE', url: `/tasks/${task}` })
  expect([answer.statusCode, answer.json().taskStatus]).toEqual([200, '499 Client Closed Request'])
  expect((await get('/joins?key=K-6'))[0]).toMatchObject({ state: 'cancelled' })
})

test.each(['state=old', 'limit=0', 'cursor=x'])('GET /joins?%s is 400', async (query) => {
  expect((await app.inject(`/joins?${query}`)).statusCode).toBe(400)
})
