import { randomUUID } from 'node:crypto'
import {
  createBell,
  createHealth,
  createMetrics,
  type Database,
  type HttpApp,
} from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  silentLog as log,
  type MigratedDatabase,
  openMigrated,
} from '../../../test/harness/index.ts'
import { dispatcherApp } from './http.ts'
import { shownJoins } from './joins/shown-joins.ts'
import { appendLog } from './tasks/log-store.ts'
import { shownTasks } from './tasks/shown-tasks.ts'
import { acceptTask, claimTasks, recordResult } from './tasks/store.ts'
import { settle } from './tasks/task.ts'

let databases: MigratedDatabase
let database: Database
let app: HttpApp

beforeAll(async () => {
  databases = await openMigrated('embedded', 'dispatcher')
  database = databases.database
  app = await appOn(database)
})
afterAll(async () => {
  await app.close()
  await databases.close()
})
beforeEach(() => database.query('TRUNCATE task CASCADE'))

function appOn(database: Database, store = acceptTask.bind(undefined, database)) {
  const accept = { store, bell: createBell(), log, newId: randomUUID, onAccepted: () => {} }
  const [bell, cancelBell] = [createBell(), createBell()]
  const tasks = shownTasks(database, { bell, cancelBell, newId: randomUUID })
  const joins = shownJoins(database, { defined: [], onCancelled() {} })
  const needs = { log, metrics: createMetrics(), health: createHealth(), accept, tasks, joins }
  return dispatcherApp(needs, { name: 'example', bodyLimit: 10_000 })
}

const event = {
  cloudEventsVersion: '0.1',
  eventType: 'org.pacifica.metadata.ingest',
  source: '/pacifica/metadata/ingest',
  eventID: 'metadata.ingest.67',
  eventTime: '2019-01-09T09:17:26',
  contentType: 'application/json',
  data: [{ destinationTable: 'Transactions._id', value: 67 }],
}

function post(payload: string, type = 'application/json') {
  return app.inject({ method: 'POST', url: '/receive', payload, headers: { 'content-type': type } })
}

async function postOne(id = event.eventID): Promise<string> {
  return (await post(JSON.stringify({ ...event, eventID: id }))).json()
}

const CLAIM = { limit: 99, leaseMs: 60_000, maxStarts: 3, worker: 'me', except: [] }

async function settleAll(kind: 'done' | 'failed') {
  const options = { limit: 99, leaseMs: 60_000, maxStarts: 3, worker: 'me', except: [] }
  const failure = { type: 'HashError', value: 'differs', traceback: '    at handle (x.ts:1)' }
  const settlement = settle(kind === 'done' ? { kind } : { kind: 'threw', failure })
  const tasks = await claimTasks(database, options)
  for (const task of tasks) await recordResult(database, task, settlement)
}

test('POST /receive answers with the id of the task, as a JSON string', async () => {
  const response = await post(JSON.stringify(event))
  expect(response.statusCode).toBe(200)
  expect(response.headers['content-type']).toMatch(/^application\/json/)
  expect(response.body).toMatch(/^"[0-9a-f-]{36}"$/)
  const slash = { method: 'POST', url: '/receive/', payload: event } as const
  expect((await app.inject(slash)).body).toBe(response.body)
})

test.each(['application/cloudevents+json', 'application/cloudevents+json; charset=utf-8'])(
  'an event posted as %s is taken',
  async (type) => {
    expect((await post(JSON.stringify(event), type)).statusCode).toBe(200)
  },
)

test('the same event posted again has the same task; after a failure it gets a new one', async () => {
  const first = await postOne()
  expect(await postOne()).toBe(first)
  await settleAll('done')
  expect(await postOne()).toBe(first)
  await database.query(`UPDATE task SET state = 'failed'`)
  expect(await postOne()).not.toBe(first)
})

test.each([
  ['no JSON', 'nonsense', 'application/json', 400],
  ['nothing', '', 'application/json', 400],
  ['a number', '5', 'application/json', 400],
  ['no event', '{"a":1}', 'application/json', 400],
  ['another media type', JSON.stringify(event), 'text/plain', 415],
  ['a batch of two', JSON.stringify([event, event]), 'application/cloudevents-batch+json', 400],
  [
    'too long a body',
    JSON.stringify({ ...event, data: 'x'.repeat(20_000) }),
    'application/json',
    413,
  ],
])('%s is refused with the reason', async (_name, payload, type, status) => {
  const response = await post(payload, type)
  expect(response.statusCode).toBe(status)
  expect(response.json()).toMatchObject({ message: expect.stringMatching(/./), traceback: '' })
  expect(response.json().status).toMatch(new RegExp(`^${status} `))
})

test('GET /status shows each state as its status line', async () => {
  const id = await postOne()
  const status = async () => (await app.inject(`/status/${id}`)).body
  expect(await status()).toBe('"202 Accepted"')
  const [task] = await claimTasks(database, {
    limit: 1,
    leaseMs: 60_000,
    maxStarts: 3,
    worker: 'me',
    except: [],
  })
  expect(await status()).toBe('"102 Processing"')
  if (task) await recordResult(database, task, settle({ kind: 'done' }))
  expect(await status()).toBe('"200 OK"')
  expect((await app.inject(`/status/${id.toUpperCase()}/`)).body).toBe('"200 OK"')
})

test('GET /get shows the event and the task, every key in its order', async () => {
  const id = await postOne()
  const response = await app.inject(`/get/${id}`)
  const text = JSON.stringify(event)
  expect(Object.entries(response.json())).toEqual([
    ['eventType', event.eventType],
    ['eventTypeVersion', null],
    ['source', event.source],
    ['eventID', event.eventID],
    ['eventTime', event.eventTime],
    ['schemaURL', null],
    ['contentType', event.contentType],
    ['eventData', text],
    ['data', JSON.stringify(event.data)],
    ['taskID', id],
    ['taskStatus', '202 Accepted'],
    ['taskApplicationName', 'example'],
    ['taskName', 'example.receive'],
    ['exceptionType', null],
    ['exceptionValue', null],
    ['exceptionTraceback', ''],
    ['created', expect.stringMatching(/^\d{4}-.*Z$/)],
    ['updated', expect.stringMatching(/^\d{4}-.*Z$/)],
    ['deleted', null],
    ['filesTaken', 0],
    ['bytesTaken', 0],
    ['bundles', []],
    ['attempts', 0],
    ['retries', 0],
    ['nextTry', null],
    ['progress', null],
    ['cancelAsked', null],
    ['join', null],
  ])
})

test('GET /get shows when a task is tried again, and why', async () => {
  const id = await postOne()
  const [task] = await claimTasks(database, CLAIM)
  const failure = { type: 'ServiceUnreachableError', value: 'no answer', traceback: '' }
  if (task) await recordResult(database, task, settle({ kind: 'threw', failure, retry: {} }))
  expect((await app.inject(`/get/${id}`)).json()).toMatchObject({
    taskStatus: '102 Processing',
    exceptionType: 'ServiceUnreachableError',
    retries: 1,
    nextTry: expect.stringMatching(/Z$/),
  })
})

test('DELETE /tasks ends what waits at once, asks what runs to end, and leaves what has ended', async () => {
  const cancel = async (id: string) => {
    const { statusCode, body } = await app.inject({ method: 'DELETE', url: `/tasks/${id}` })
    return [statusCode, JSON.parse(body).taskStatus ?? JSON.parse(body).status]
  }
  const waiting = await postOne('waiting')
  const twice = [await cancel(waiting), await cancel(waiting)]
  expect(twice).toEqual(Array(2).fill([200, '499 Client Closed Request']))
  expect((await app.inject(`/get/${waiting}`)).json()).toMatchObject({
    taskStatus: '499 Client Closed Request',
    exceptionType: 'TaskCancelledError',
  })
  const running = await postOne('running')
  const [task] = await claimTasks(database, CLAIM)
  expect(await cancel(running)).toEqual([202, '102 Processing'])
  expect((await app.inject(`/get/${running}`)).json().cancelAsked).toMatch(/Z$/)
  if (task) await recordResult(database, task, settle({ kind: 'done' }))
  expect(await cancel(running)).toEqual([409, '409 Conflict'])
  expect(await cancel(randomUUID())).toEqual([404, '404 Not Found'])
})

test('GET /tasks/:id/log shows what the runs of a task wrote, as text', async () => {
  const id = await postOne()
  const held = (claim: number) => ({ id, claim })
  await appendLog(database, held(1), [{ stream: 'out', text: 'one, é' }])
  await appendLog(database, held(2), [{ stream: 'err', text: 'two\n' }])
  await appendLog(database, held(2), [{ stream: 'log', text: 'three\n' }])
  const { headers, body } = await app.inject(`/tasks/${id}/log`)
  expect(headers['content-type']).toBe('text/plain; charset=utf-8')
  expect(body).toMatch(/^── run 1, \S+Z\none, é\n── run 2, \S+Z\ntwo\nthree\n$/)
  expect((await app.inject(`/tasks/${randomUUID()}/log`)).statusCode).toBe(404)
})

test('GET /get shows what a handler threw, and that the task has moved', async () => {
  const id = await postOne()
  await settleAll('failed')
  const task = (await app.inject(`/get/${id}/`)).json()
  expect(task).toMatchObject({
    taskStatus: '500 Internal Server Error',
    exceptionType: 'HashError',
    exceptionValue: 'differs',
    exceptionTraceback: '    at handle (x.ts:1)',
  })
  expect(Date.parse(task.updated)).toBeGreaterThan(Date.parse(task.created))
})

test('a CloudEvents 1.0 event is shown under the names of 0.1', async () => {
  const modern = { specversion: '1.0', id: 'E-9', source: '/s', type: 'some.type' }
  const id = (await post(JSON.stringify(modern), 'application/cloudevents+json')).json()
  expect((await app.inject(`/get/${id}`)).json()).toMatchObject({
    eventType: 'some.type',
    eventID: 'E-9',
    eventTime: null,
    data: 'null',
  })
})

test.each(['/status', '/get'])('%s of an unknown task is 404, of no uuid 422', async (route) => {
  const unknown = await app.inject(`${route}/${randomUUID()}`)
  expect([unknown.statusCode, unknown.json().status]).toEqual([404, '404 Not Found'])
  const bad = await app.inject(`${route}/17`)
  expect([bad.statusCode, bad.json().status]).toEqual([422, '422 Unprocessable Entity'])
})

test('GET / lists the tasks, the newest first, page by page', async () => {
  const ids = []
  for (const name of ['a', 'b', 'c']) ids.push(await postOne(name))
  const all = await app.inject('/')
  expect(all.headers['link']).toBeUndefined()
  expect(all.json().map((task: { taskID: string }) => task.taskID)).toEqual(ids.toReversed())
  expect(Object.keys(all.json()[0])).toEqual(['taskID', 'created', 'updated', 'deleted'])

  const first = await app.inject('/?limit=2')
  expect(first.json()).toEqual(all.json().slice(0, 2))
  const next = /^<(.*)>; rel="next"$/.exec(String(first.headers['link']))?.[1]
  const second = await app.inject(String(next))
  expect(second.json()).toEqual(all.json().slice(2))
  expect(second.headers['link']).toBeUndefined()
})

test('an empty list is an empty list', async () => {
  expect((await app.inject('/')).json()).toEqual([])
})

test.each(['limit=0', 'limit=1001', 'limit=x', 'cursor=x'])('/?%s is refused', async (query) => {
  expect((await app.inject(`/?${query}`)).statusCode).toBe(400)
})

test('without limit a list ends at 1 000, and says where it goes on', async () => {
  await database.query(`
    INSERT INTO task (id, digest, source, event_id, event)
    SELECT gen_random_uuid(), n, '/s', n, '{}' FROM generate_series(1, 1001) n`)
  const response = await app.inject('/')
  expect(response.json()).toHaveLength(1_000)
  expect(response.headers['link']).toContain('limit=1000')
})

test('while the database is away, a posted event is refused with 503 and not lost unseen', async () => {
  const away = await appOn(database, () =>
    Promise.reject(Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })),
  )
  const payload = JSON.stringify(event)
  const headers = { 'content-type': 'application/json' }
  const response = await away.inject({ method: 'POST', url: '/receive', payload, headers })
  expect(response.statusCode).toBe(503)
  expect(response.json().message).toContain('database')
  await away.close()
})

test('the API is described, with an example for every route', async () => {
  const { paths } = (await app.inject('/docs/json')).json()
  for (const path of [
    '/receive',
    '/status/{id}',
    '/get/{id}',
    '/',
    '/tasks/{id}',
    '/tasks/{id}/log',
    '/tasks',
    '/tasks/{id}/retry',
    '/tasks/{id}/dry-run',
  ]) {
    expect(JSON.stringify(paths[path])).toContain('example')
  }
})
