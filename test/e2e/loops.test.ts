/**
 * Results that lead back to where they were made, over the real services and a simulated Pacifica whose Metadata tells
 * notifications of every transaction. Nothing here stops a loop but the services themselves.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RemoteUploaderRunner, Transaction, TransactionKeyValue } from '@pacifica/core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type SimulatedPacifica, startPacifica } from '../../apps/standalone/src/pacifica/start.ts'
import { createTestDatabase } from '../harness/index.ts'
import { type RunningDispatcher, runDispatcher, type ShownTask } from '../pacifica/dispatcher.ts'
import { type RunningNotifications, runNotifications } from '../pacifica/notifications.ts'
import { until } from '../pacifica/site.ts'

const PATIENCE = 300_000

let folder: string
let pacifica: SimulatedPacifica
let notifications: RunningNotifications
let uploader: RemoteUploaderRunner
/** In the order in which they are undone: the last one first. */
const undo: (() => Promise<unknown>)[] = []
const undoAll: (() => Promise<unknown>)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'loops-'))
  undoAll.push(() => rm(folder, { recursive: true, force: true }))
  await writeFile(join(folder, 'hello.txt'), 'hello')
  pacifica = await startPacifica()
  undoAll.push(() => pacifica.close())
  uploader = new RemoteUploaderRunner(pacifica.ingest.url)
  const database = await createTestDatabase()
  undoAll.push(() => database.drop())
  notifications = await runNotifications({
    DATABASE_URL: database.url,
    POLICY_URL: pacifica.policy.url,
  })
  undoAll.push(() => notifications.stop())
  pacifica.metadata.notify(`${notifications.url}/receive`)
}, PATIENCE)
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
}, PATIENCE)
afterAll(async () => {
  for (const step of undoAll.reverse()) await step()
}, PATIENCE)

/** Runs a dispatcher of dispatchers/, or of a package, and subscribes it to the events that `jsonpath` selects. */
async function dispatcher(
  module: string,
  jsonpath: string,
  name?: string,
): Promise<RunningDispatcher> {
  const path = module.endsWith('.mjs') ? join(import.meta.dirname, 'dispatchers', module) : module
  const database = await createTestDatabase()
  undo.push(() => database.drop())
  const running = await runDispatcher(notifications.transport, {
    DISPATCHER_DATABASE_URL: database.url,
    CARTD_URL: pacifica.cartd.url,
    INGEST_URL: pacifica.ingest.url,
    DISPATCHER_MODULE: path,
    ...(name === undefined ? {} : { DISPATCHER_NAME: name }),
  })
  undo.push(() => running.stop())
  const body = { name: running.name, jsonpath, target_url: `dispatch://${running.name}` }
  const subscribed = await notifications.call('POST', '/eventmatch', { body })
  expect(subscribed.status, subscribed.text).toBe(200)
  undo.push(() => notifications.call('DELETE', `/eventmatch/${subscribed.json.uuid}`))
  return running
}

const noted = (key: string, value: string) =>
  `$["data"][*][?(@["key"] = "${key}" and @["value"] = "${value}")]`

/** A file comes in from an instrument, with one key-value. */
async function measured(key: string, value: string): Promise<void> {
  await uploader.upload(folder, {
    transaction: new Transaction({ submitter: 10, project: '1234é', instrument: 54 }),
    keyValues: [new TransactionKeyValue({ key, value })],
  })
}

/**
 * The tasks of these dispatchers once nothing can happen any more: every transaction was told to notifications, every
 * delivery of its event is a task, every task has ended, and that has made no further transaction.
 */
async function atRest(from: number, dispatchers: readonly RunningDispatcher[]) {
  return until(async () => {
    const told = pacifica.metadata.announced.slice(from)
    let deliveries = 0
    for (const { status, answer } of told) {
      expect(status).toBe(200)
      const { json: event } = await notifications.call('GET', `/events/${answer}`)
      expect(event.state).toBe('matched')
      for (const { state } of event.deliveries) expect(state).toBe('delivered')
      deliveries += event.deliveries.length
    }
    const tasks = await Promise.all(dispatchers.map((one) => one.tasks()))
    for (const { taskStatus } of tasks.flat()) expect(taskStatus).not.toMatch(/^(202|102) /)
    expect(tasks.flat()).toHaveLength(deliveries)
    expect(pacifica.metadata.announced.length).toBe(from + told.length)
    expect(pacifica.ingest.jobs.filter(({ registering }) => registering)).toEqual([])
    return { transactions: told.length, tasks }
  }, 120_000)
}

/** How each ended; of what went wrong unexpectedly, what it said. */
const shown = (tasks: readonly ShownTask[] = []) =>
  tasks.map(({ taskStatus, exceptionType, exceptionValue }) =>
    exceptionType === null || EXPECTED.has(exceptionType)
      ? [taskStatus, exceptionType]
      : [taskStatus, exceptionType, exceptionValue],
  )
const EXPECTED = new Set(['LoopGuardError', 'RouteNotFoundRouterError'])
const DONE = ['200 OK', null]
const REFUSED = ['422 Unprocessable Entity', 'LoopGuardError']

test(
  'the example does not take its own result, of which Metadata knows the task and the source',
  async () => {
    const from = pacifica.metadata.announced.length
    const example = await dispatcher('@pacifica/example-uppercase', '$["data"]')
    await measured('example-key', 'example-value')
    const { transactions, tasks } = await atRest(from, [example])
    const unrouted = ['422 Unprocessable Entity', 'RouteNotFoundRouterError']
    expect(shown(tasks[0])).toEqual([DONE, unrouted])
    expect(transactions).toBe(2)

    const [source, result] = pacifica.metadata.announced.slice(from)
    const ask = async (path: string) => (await fetch(pacifica.metadata.url + path)).json()
    const made = `pacifica-dispatcher.task/${tasks[0]?.[0]?.taskID}`
    expect(await ask(`/fileinfo/files_for_keyvalue/${made}`)).toEqual([
      expect.objectContaining({ transaction: result?.transaction, name: 'hello.txt' }),
    ])
    expect(await ask(`/tkvinfo/kv_for_transaction/${result?.transaction}`)).toMatchObject({
      'pacifica-dispatcher.source-transaction': String(source?.transaction),
      'pacifica-dispatcher.chain': 'example',
    })
  },
  PATIENCE,
)

test(
  'a result that matches the route of the dispatcher that made it is refused, with the reason',
  async () => {
    const from = pacifica.metadata.announced.length
    const example = await dispatcher('example-marked.mjs', noted('example-key', 'example-value'))
    await measured('example-key', 'example-value')
    const { transactions, tasks } = await atRest(from, [example])
    expect(shown(tasks[0])).toEqual([DONE, REFUSED])
    expect(transactions).toBe(2)
    expect(tasks[0]?.[1]?.exceptionValue).toContain('(the chain: example)')
    expect(tasks[0]?.[1]?.exceptionValue).toContain('allowLoops: true')
  },
  PATIENCE,
)

test(
  'a result that comes back by way of another dispatcher is refused',
  async () => {
    const from = pacifica.metadata.announced.length
    const a = await dispatcher('hand-on.mjs', noted('for', 'a'), 'a')
    const b = await dispatcher('hand-on.mjs', noted('for', 'b'), 'b')
    await measured('for', 'a')
    const { transactions, tasks } = await atRest(from, [a, b])
    expect(tasks.map(shown)).toEqual([[DONE, REFUSED], [DONE]])
    expect(transactions).toBe(3)
    expect(tasks[0]?.[1]?.exceptionValue).toContain('(the chain: a → b)')
  },
  PATIENCE,
)

test(
  'a route that allows loops works on its own results',
  async () => {
    const from = pacifica.metadata.announced.length
    const rounds = await dispatcher('rounds.mjs', '$["data"][*][?(@["key"] = "round")]')
    await measured('round', '1')
    const { transactions, tasks } = await atRest(from, [rounds])
    expect(shown(tasks[0])).toEqual([DONE, DONE, DONE])
    expect(transactions).toBe(3)
  },
  PATIENCE,
)
