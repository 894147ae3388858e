/**
 * Many tasks over two dispatchers on one PostgreSQL, whose supervisors and children are killed at random, and the ledger
 * at the end: one result for each task, and nothing left of any. The long form: FAULT_TASKS=500, repeated with
 * FAULT_SEED; see docs/guides/fault-suite.md. What is killed at which step one by one: test/e2e/survive.test.ts.
 */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readStat } from '../../apps/dispatcher/src/isolation/process-tree.ts'
import { processesWith, untilNoProcessHas } from '../e2e/processes.ts'
import {
  createTestDatabase,
  freePort,
  type ServiceProcess,
  startService,
} from '../harness/index.ts'
import { type SimulatedCartd, startCartd } from '../pacifica/cartd.ts'
import { type SimulatedIngest, startIngest } from '../pacifica/ingest.ts'
import type { Listening } from '../pacifica/listening.ts'
import { startMetadataOf, taskOf } from '../pacifica/results-of-tasks.ts'
import { until } from '../pacifica/site.ts'
import { seeded } from './random.ts'

const { FAULT_TASKS = '10', FAULT_SEED } = process.env
const COUNT = Number(FAULT_TASKS)
const KILLS = Math.max(3, Math.round(COUNT / 8))
const SEED = Number(FAULT_SEED ?? Date.now() % 1_000_000)
const random = seeded(SEED)
/** For each step; a machine may be ten times slower. */
const PATIENCE = 300_000 + COUNT * 5_000
const TYPES = ['plain', 'busy', 'starts'] as const

interface Replica {
  readonly folder: string
  readonly url: string
  service: ServiceProcess
}

let folder: string
let database: Awaited<ReturnType<typeof createTestDatabase>>
let cartd: SimulatedCartd
let ingest: SimulatedIngest
let metadata: Listening
const replicas: Replica[] = []

beforeAll(async () => {
  console.log(`tasks: FAULT_TASKS=${COUNT} FAULT_SEED=${SEED}`)
  folder = await mkdtemp(join(tmpdir(), 'task-kills-'))
  database = await createTestDatabase()
  const numbers = Array.from({ length: COUNT }, (_, number) => number)
  cartd = await startCartd(
    numbers.map((number) => ({
      id: number + 1,
      path: `${number}.bin`,
      content: contentOf(number),
    })),
  )
  ingest = await startIngest()
  metadata = await startMetadataOf(() => ingest)
  for (const name of ['a', 'b']) {
    const url = `http://127.0.0.1:${await freePort()}`
    const place = { folder: join(folder, name), url }
    await mkdir(place.folder)
    replicas.push({ ...place, service: start(place) })
  }
  await Promise.all(replicas.map(({ service, url }) => service.ready([url], PATIENCE)))
}, 2 * PATIENCE)
afterAll(async () => {
  for (const { service } of replicas) await service.kill('SIGKILL')
  await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
  for (const server of [cartd, ingest, metadata]) await server?.close()
  await database?.drop()
  await rm(folder, { recursive: true })
}, 2 * PATIENCE)

function start(place: Pick<Replica, 'folder' | 'url'>): ServiceProcess {
  return startService('apps/dispatcher/dist/main.js', {
    DATA_DIR: place.folder,
    DISPATCHER_PORT: new URL(place.url).port,
    DISPATCHER_DATABASE_URL: database.url,
    DISPATCHER_MODULE: join(import.meta.dirname, '../e2e/dispatchers/odd-work.mjs'),
    DISPATCHER_LEASE: '2s',
    DISPATCHER_RETRY_WAIT: '50ms',
    DISPATCHER_TASK_STARTS: '1000',
    DISPATCHER_UNSURE_WAIT: '30s',
    CARTD_URL: cartd.url,
    INGEST_URL: ingest.url,
    METADATA_URL: metadata.url,
    LOG_LEVEL: 'warn',
  })
}

function contentOf(number: number): Buffer {
  return Buffer.alloc(1_000 + 10 * number, createHash('sha256').update(`${number}`).digest())
}

function eventFor(number: number): string {
  const content = contentOf(number)
  const file = { _id: number + 1, name: `${number}.bin`, subdir: '', size: content.length }
  const hashsum = createHash('sha1').update(content).digest('hex')
  return JSON.stringify({
    ...{ cloudEventsVersion: '0.1', eventType: TYPES[number % TYPES.length], source: '/s' },
    eventID: `E-${number}`,
    data: [
      { destinationTable: 'Transactions._id', value: 67 },
      { destinationTable: 'Transactions.submitter', value: 10 },
      { destinationTable: 'Transactions.project', value: 'p' },
      { destinationTable: 'Transactions.instrument', value: 54 },
      { destinationTable: 'Files', ...file, hashtype: 'sha1', hashsum },
    ],
  })
}

let asked = 0
/** In turn: what is struck depends on the seed alone. */
function someUrl(): string {
  asked += 1
  return replicas[asked % replicas.length]?.url ?? ''
}

/** Again until it has its answer: the same event has the same task. */
async function post(number: number): Promise<string> {
  const body = eventFor(number)
  const headers = { 'content-type': 'application/json' }
  return await until(async () => {
    const response = await fetch(`${someUrl()}/receive`, { method: 'POST', headers, body })
    expect(response.status).toBe(200)
    return (await response.json()) as string
  }, PATIENCE)
}

/** How many of the tasks have not ended; a replica that is just being killed is asked again. */
async function open(): Promise<number> {
  const states = 'waiting,running,retrying'
  return await until(async () => {
    const response = await fetch(`${someUrl()}/tasks?state=${states}&limit=1000`)
    expect(response.status).toBe(200)
    return ((await response.json()) as unknown[]).length
  }, PATIENCE)
}

async function strike(): Promise<string> {
  const replica = random.pick(replicas)
  const what = random.pick(['child', 'child', 'supervisor', 'both'])
  if (what !== 'supervisor') await killChildren(replica)
  if (what === 'child') return what
  await replica.service.kill('SIGKILL')
  replica.service = start(replica)
  await replica.service.ready([replica.url], PATIENCE)
  return what
}

async function killChildren({ folder: of, service }: Replica): Promise<void> {
  for (const pid of await processesWith(`TMPDIR=${of}`)) {
    try {
      const { parent } = readStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
      if (parent === service.pid) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself meanwhile.
    }
  }
}

test(
  'whatever is killed whenever, each task has one result, and nothing is left of any',
  async () => {
    const tasks: string[] = []
    const posting = (async () => {
      for (let number = 0; number < COUNT; number += 1) tasks.push(await post(number))
    })()
    const struck: string[] = []
    do {
      await new Promise((resolve) => setTimeout(resolve, 200 + 800 * random.next()))
      struck.push(await strike())
    } while (struck.length < KILLS && (tasks.length < COUNT || (await open()) > 0))
    await posting
    await until(async () => expect(await open()).toBe(0), PATIENCE)

    for (const [number, task] of tasks.entries()) {
      const shown = await fetch(`${replicas[0]?.url}/tasks/${task}`)
      expect(await shown.json()).toMatchObject({ taskStatus: '200 OK', eventID: `E-${number}` })
      const results = ingest.jobs.filter((job) => taskOf(job) === task)
      expect(
        results.map(({ bundle }) => bundle.failure),
        task,
      ).toEqual([undefined])
      const [member] = results[0]?.bundle.members ?? []
      expect(member?.name).toBe(`data/${number}.bin`)
      expect(member?.content.equals(contentOf(number)), task).toBe(true)
    }
    expect(ingest.jobs.length).toBe(COUNT)
    expect(new Set(tasks).size).toBe(COUNT)
    await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
    await until(async () => {
      for (const { folder: of } of replicas)
        expect(await readdir(join(of, 'dispatcher/scratch/odd-work'))).toEqual([])
    }, PATIENCE)
    const killed = struck.join(', ')
    console.log(`tasks: ${COUNT} tasks, ${struck.length} kills (${killed}), ${COUNT} results`)
  },
  4 * PATIENCE,
)
