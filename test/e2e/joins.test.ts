/**
 * Events that wait for others, in a real service on PostgreSQL that is killed with SIGKILL where it hurts: before an event
 * is in its slot, in the middle of the transaction that completes a join, in the join's handler; and while a deadline comes.
 */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createTestDatabase,
  freePort,
  type ServiceProcess,
  startService,
} from '../harness/index.ts'
import { until } from '../pacifica/site.ts'
import { untilNoProcessHas } from './processes.ts'

const PATIENCE = 300_000

let folder: string
let database: Awaited<ReturnType<typeof createTestDatabase>>
let sql: pg.Client
let service: ServiceProcess
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'joins-'))
  await mkdir(join(folder, 'in/data'), { recursive: true })
  await mkdir(join(folder, 'data'))
  for (const type of ['patient-raw', 'patient-calibration', 'runs-raw', 'fails-raw']) {
    await writeFile(join(folder, `in/data/${type}.txt`), `${type} `)
  }
  database = await createTestDatabase()
  sql = new pg.Client({ connectionString: database.url })
  sql.on('error', () => {})
  await sql.connect()
  url = `http://127.0.0.1:${await freePort()}`
  await start()
}, PATIENCE)
afterAll(async () => {
  await service?.kill('SIGKILL')
  await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
  await sql?.end()
  await database?.drop()
  await rm(folder, { recursive: true })
}, PATIENCE)

async function start(): Promise<void> {
  service = startService('apps/dispatcher/dist/main.js', {
    DATA_DIR: join(folder, 'data'),
    DISPATCHER_PORT: new URL(url).port,
    DISPATCHER_DATABASE_URL: database.url,
    DISPATCHER_MODULE: join(import.meta.dirname, 'dispatchers/joined.mjs'),
    DISPATCHER_HANDLER_ENV: 'JOINED_FOLDER',
    JOINED_FOLDER: folder,
    DISPATCHER_LEASE: '1s',
    DISPATCHER_TASK_STARTS: '100',
    CARTD_URL: pathToFileURL(join(folder, 'in')).href,
    INGEST_URL: pathToFileURL(join(folder, 'out')).href,
    LOG_LEVEL: 'warn',
  })
  await service.ready([url], PATIENCE)
}

let number = 0
async function post(type: string, sample: string): Promise<string> {
  number += 1
  const data = [
    { destinationTable: 'Transactions._id', value: number },
    { destinationTable: 'TransactionKeyValue', key: 'sample', value: sample },
    { destinationTable: 'Files', _id: number, name: `${type}.txt`, subdir: '' },
  ]
  const event = { cloudEventsVersion: '0.1', eventType: type, source: '/s', eventID: `E-${number}` }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify({ ...event, data })
  const response = await fetch(`${url}/receive`, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
  return (await response.json()) as string
}

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${url}${path}`)).json()) as T
}

interface ShownTask {
  readonly taskStatus: string
  readonly join: string | null
}
interface ShownJoin {
  readonly state: string
  readonly taskID: string | null
  readonly taskStatus: string | null
}

const untilTask = (task: string, expected: object) =>
  until(async () => {
    const shown = await get<ShownTask>(`/get/${task}`)
    expect(shown, service.output()).toMatchObject(expected)
    return shown
  }, PATIENCE)

/** Of this key there is one join, and it is like that. */
const untilJoin = (key: string, expected: object) =>
  until(async () => {
    const joins = await get<ShownJoin[]>(`/joins?key=${key}`)
    expect(joins, service.output()).toMatchObject([expected])
    return joins[0] as ShownJoin
  }, PATIENCE)

async function inBundle(task: string | null, member: string): Promise<string> {
  const bundle = join(folder, 'out', `${task}.tar`)
  return (await promisify(execFile)('tar', ['xOf', bundle, member])).stdout
}

/** The service waits for a lock that we hold. */
const untilItWaits = () =>
  until(async () => {
    const { rows } = await sql.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
    expect(rows, service.output()).not.toEqual([])
  }, PATIENCE)

test(
  'a join has one result, wherever its service is killed',
  async () => {
    const raw = await post('patient-raw', 'S-1')
    const { join: id } = await untilTask(raw, {
      taskStatus: '202 Accepted',
      join: expect.any(String),
    })

    // Before the last event is in its slot: it waits for its turn.
    await sql.query('BEGIN')
    await sql.query(
      `SELECT pg_advisory_xact_lock(hashtextextended('dispatcher.join patient S-1', 0))`,
    )
    const calibration = await post('patient-calibration', 'S-1')
    await untilItWaits()
    await service.kill('SIGKILL')
    await sql.query('ROLLBACK')

    // In the middle of the transaction that completes the join: the slot is filled, the tasks are not ended.
    await sql.query('BEGIN')
    await sql.query('SELECT FROM task WHERE id = $1 FOR UPDATE', [raw])
    await start()
    await untilItWaits()
    await service.kill('SIGKILL')
    await sql.query('ROLLBACK')

    // In the join's handler.
    await writeFile(join(folder, 'hold'), '')
    await start()
    await until(() => expect(existsSync(join(folder, 'S-1.in-handler'))).toBe(true), PATIENCE)
    await untilJoin('S-1', { state: 'complete', taskStatus: '102 Processing' })
    await service.kill('SIGKILL')
    await rm(join(folder, 'hold'))
    await start()

    const shown = await untilJoin('S-1', { joinID: id, taskStatus: '200 OK', missing: [] })
    for (const task of [raw, calibration]) await untilTask(task, { taskStatus: '200 OK', join: id })
    expect(await get(`/tasks?kind=join`)).toMatchObject([{ taskID: shown.taskID, join: id }])
    expect(await readdir(join(folder, 'out'))).toEqual([`${shown.taskID}.tar`])
    const result = 'patient-raw patient-calibration missing 0'
    expect(await inBundle(shown.taskID, 'data/S-1.txt')).toBe(result)
    const noted = JSON.parse(await inBundle(shown.taskID, 'metadata.txt'))
      .filter(({ key }: { key: string }) => key === 'pacifica-dispatcher.source-transaction')
      .map(({ value }: { value: string }) => value)
    expect(noted).toEqual(['1', '2'])
  },
  PATIENCE,
)

test(
  'a deadline that comes while nobody is there is seen to by whoever starts next, once',
  async () => {
    const [runs, fails] = [await post('runs-raw', 'S-2'), await post('fails-raw', 'S-3')]
    for (const task of [runs, fails]) await untilTask(task, { join: expect.any(String) })
    await service.kill('SIGKILL')
    await until(async () => {
      const left = `SELECT FROM task_join WHERE state = 'open' AND deadline > clock_timestamp()`
      expect((await sql.query(left)).rows).toEqual([])
    }, PATIENCE)
    await start()
    const run = await untilJoin('S-2', { state: 'expired', taskStatus: '200 OK' })
    await untilTask(runs, { taskStatus: '200 OK' })
    expect(await inBundle(run.taskID, 'data/S-2.txt')).toBe('runs-raw missing 1')
    await untilJoin('S-3', { state: 'failed', taskID: null, missing: ['calibration'] })
    await untilTask(fails, {
      ...{ taskStatus: '422 Unprocessable Entity', exceptionType: 'JoinIncompleteError' },
    })
  },
  PATIENCE,
)
