import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { defineDispatcher, Event, NoopEventHandler, TransformHandler } from '@pacifica/core'
import {
  createInProcessTransport,
  createLifetime,
  type LifetimeControl,
  readConfig,
  type Transport,
} from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLog as log } from '../../../test/harness/index.ts'
import { type RunningDispatcher, startDispatcher } from './compose.ts'
import { dispatcherSettings } from './config.ts'

/** Joins the event's files into one, in upper case: a handler as an author writes it. */
const shouting = new TransformHandler(async ({ input, output }) => {
  for (const { file, open } of input) {
    const text = (await buffer(open())).toString('utf8')
    await writeFile(await output.inside(file.name ?? ''), text.toUpperCase())
  }
})

const dispatcher = defineDispatcher({
  name: 'shouting',
  routes: [
    { path: '$[?($["eventType"] = "wanted")]', handler: shouting },
    { path: '$[?($["eventType"] = "unimportant")]', handler: new NoopEventHandler() },
  ],
})

let folder: string
let life: LifetimeControl
let transport: Transport
let service: RunningDispatcher

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'service-'))
  await mkdir(join(folder, 'in/data'), { recursive: true })
  await writeFile(join(folder, 'in/data/hello.txt'), 'hello')
  await mkdir(join(folder, 'data/dispatcher/scratch/shouting/left-behind'), { recursive: true })
  life = createLifetime({ log }, { graceMs: 30_000 })
  transport = createInProcessTransport({ log })
  const env = {
    DATA_DIR: join(folder, 'data'),
    DISPATCHER_PORT: '0',
    CARTD_URL: pathToFileURL(join(folder, 'in')).href,
    INGEST_URL: pathToFileURL(join(folder, 'out')).href,
  }
  const config = readConfig(dispatcherSettings, { env })
  service = await startDispatcher(life, { log, transport, dispatcher }, config)
})
afterAll(async () => {
  expect(await life.stop('the test is over')).toBe(true)
  await transport.close()
  await rm(folder, { recursive: true })
})

function eventOf(type: string): Event {
  const hello = { destinationTable: 'Files', _id: 1, name: 'hello.txt', subdir: '', size: 5 }
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: type,
      source: '/s',
      eventID: `E-${type}`,
      data: [
        { destinationTable: 'Transactions._id', value: 67 },
        { destinationTable: 'Transactions.submitter', value: 10 },
        { destinationTable: 'Transactions.project', value: 'p' },
        { destinationTable: 'Transactions.instrument', value: 54 },
        hello,
      ],
    }),
  )
}

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${service.url}${path}`)).json()) as T
}

async function settledTask(): Promise<Record<string, string>> {
  for (;;) {
    const [entry] = await get<{ taskID: string }[]>('/')
    const task = entry ? await get<Record<string, string>>(`/get/${entry.taskID}`) : {}
    if (entry && !/^(202|102) /.test(task['taskStatus'] ?? '')) return task
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('an event goes from the queue to a bundle, and everything about it can be read', async () => {
  expect(service.name).toBe('shouting')
  expect(await readdir(join(folder, 'data/dispatcher/scratch/shouting'))).toEqual([])
  const { text: body, digest } = eventOf('wanted')
  const message = { deliveryId: randomUUID(), replay: 0, digest, body }
  for (const _twice of [1, 2]) {
    const published = await transport.publish('shouting', message, { timeoutMs: 30_000 })
    expect(published).toEqual({ kind: 'accepted' })
  }
  const task = await settledTask()
  expect(task).toMatchObject({
    taskStatus: '200 OK',
    eventID: 'E-wanted',
    exceptionType: null,
    filesTaken: 1,
    bytesTaken: expect.any(Number),
    bundles: [{ bundle: join(folder, 'out', `${task['taskID']}.tar`), jobId: null }],
  })
  expect(await get('/')).toHaveLength(1)

  expect(await readdir(join(folder, 'out'))).toEqual([`${task['taskID']}.tar`])
  expect(await readdir(join(folder, 'data/dispatcher/scratch/shouting'))).toEqual([])
  expect(await get('/readyz')).toMatchObject({
    ready: true,
    checks: { database: 'ok', migrations: 'ok', worker: 'ok', consumer: 'ok' },
  })
  const counted = await (await fetch(`${service.url}/metrics`)).text()
  expect(counted).toContain('pacifica_dispatcher_tasks_settled_total{state="done"} 1')
  expect(counted).toContain('pacifica_dispatcher_tasks{state="waiting"} 0')
})

/** A dry run of the task, when it is done. */
async function dryRun(task: string): Promise<{ taskID: string; comparison: object | null }> {
  const asked = await fetch(`${service.url}/tasks/${task}/dry-run`, { method: 'POST' })
  const { taskID } = (await asked.json()) as { taskID: string }
  for (;;) {
    const run = await get<{ taskID: string; state: string; comparison: object }>(`/tasks/${taskID}`)
    if (!['waiting', 'running'].includes(run.state)) return run
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('a dry run says how the result would differ, and hands nothing in', async () => {
  const { taskID } = await settledTask()
  if (taskID === undefined) throw new Error('no task')
  const same = await dryRun(taskID)
  const bundles = join(folder, 'data/dispatcher/dry-runs/shouting')
  expect(same.comparison).toMatchObject({
    comparedWith: taskID,
    same: true,
    uploads: [
      { now: { files: 1, bytes: 5, bundle: join(bundles, `${same.taskID}.tar`) }, changed: [] },
    ],
  })
  await writeFile(join(folder, 'in/data/hello.txt'), 'world')
  const { comparison } = await dryRun(taskID)
  const sha1 = (text: string) => createHash('sha1').update(text).digest('hex')
  expect(comparison).toMatchObject({
    same: false,
    uploads: [
      {
        before: { files: 1, bytes: 5, bundle: join(folder, 'out', `${taskID}.tar`) },
        counts: { added: 0, removed: 0, changed: 1, unchanged: 0 },
        changed: [
          {
            path: 'hello.txt',
            before: { size: 5, sha1: sha1('HELLO') },
            now: { size: 5, sha1: sha1('WORLD') },
          },
        ],
      },
    ],
  })
  expect(await readdir(join(folder, 'out'))).toEqual([`${taskID}.tar`])
  expect(await readdir(bundles)).toHaveLength(2)
})

test('an event without a route ends as one, and a message without an event is not acknowledged', async () => {
  const posted = await fetch(`${service.url}/receive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: eventOf('strange').text,
  })
  const taskID = await posted.json()
  expect(await settledTask()).toMatchObject({
    taskID,
    taskStatus: '422 Unprocessable Entity',
    exceptionType: 'RouteNotFoundRouterError',
    exceptionValue: 'route not found',
    exceptionTraceback: '',
  })
  const message = { deliveryId: randomUUID(), replay: 0, digest: 'x', body: 'no event' }
  const published = await transport.publish('shouting', message, { timeoutMs: 300 })
  expect(published.kind).toBe('refused')
})
