/**
 * One result for each task, whatever is killed at whatever step: tasks are held at every step at once, something is
 * killed with SIGKILL, and all of them come to their end. Real processes on PostgreSQL; Cartd, Ingest and Metadata are
 * simulated.
 */
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { readStat } from '../../apps/dispatcher/src/isolation/process-tree.ts'
import {
  createTestDatabase,
  freePort,
  type ServiceProcess,
  startService,
} from '../harness/index.ts'
import { type ArchivedFile, type SimulatedCartd, startCartd } from '../pacifica/cartd.ts'
import { type SimulatedIngest, startIngest } from '../pacifica/ingest.ts'
import type { Listening } from '../pacifica/listening.ts'
import { startMetadataOf, taskOf } from '../pacifica/results-of-tasks.ts'
import { until } from '../pacifica/site.ts'
import { type Gate, STEPS, type Step, startGate } from './gate.ts'
import { processesWith, untilNoProcessHas } from './processes.ts'

const PATIENCE = 600_000
const ROUNDS = ['supervisor', 'children', 'both'] as const
type Round = (typeof ROUNDS)[number]

let folder: string
let database: Awaited<ReturnType<typeof createTestDatabase>>
let cartd: SimulatedCartd
let ingest: SimulatedIngest
let metadata: Listening
let gate: Gate
let service: ServiceProcess
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'survive-'))
  database = await createTestDatabase()
  cartd = await startCartd(ROUNDS.flatMap((round) => STEPS.map((step) => fileFor(step, round))))
  ingest = await startIngest()
  metadata = await startMetadataOf(() => ingest)
  gate = await startGate({ cartd: cartd.url, ingest: ingest.url })
  url = `http://127.0.0.1:${await freePort()}`
  await start()
}, PATIENCE)
afterAll(async () => {
  await service.kill('SIGKILL')
  await gate.end()
  for (const server of [cartd, ingest, metadata]) await server.close()
  await database.drop()
  await rm(folder, { recursive: true })
}, PATIENCE)
afterEach(() => untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE), PATIENCE)

/** What only a task's processes have in their environment. */
const inTask = () => processesWith(`TMPDIR=${folder}`)

async function start(): Promise<void> {
  await mkdir(join(folder, 'data'), { recursive: true })
  service = startService('apps/dispatcher/dist/main.js', {
    DATA_DIR: join(folder, 'data'),
    DISPATCHER_PORT: new URL(url).port,
    DISPATCHER_DATABASE_URL: database.url,
    DISPATCHER_MODULE: join(import.meta.dirname, 'dispatchers/steps.mjs'),
    DISPATCHER_HANDLER_ENV: 'STEPS_FOLDER',
    STEPS_FOLDER: folder,
    DISPATCHER_CONCURRENCY: String(STEPS.length),
    DISPATCHER_LEASE: '1s',
    DISPATCHER_RETRY_WAIT: '100ms',
    CARTD_URL: gate.cartdUrl,
    INGEST_URL: gate.ingestUrl,
    METADATA_URL: metadata.url,
    LOG_LEVEL: 'warn',
  })
  await service.ready([url], PATIENCE)
}

/** More than sockets hold, so that an upload that is held has not sent its last bytes. */
const LARGE = 16 * 1024 * 1024
const contents = new Map<string, Buffer>()

function fileFor(step: Step, round: Round): ArchivedFile {
  const path = `${step}.${round}.bin`
  const content = randomBytes(step === 'half-uploaded' ? LARGE : 100_000)
  contents.set(path, content)
  return { id: contents.size, path, content }
}

function eventFor(step: Step, round: Round): object {
  const path = `${step}.${round}.bin`
  const content = contents.get(path) ?? Buffer.alloc(0)
  const type = step.startsWith('in-handler-') ? step.replace('in-handler-', '') : 'plain'
  return {
    ...{ cloudEventsVersion: '0.1', eventType: type, source: '/s', eventID: path },
    data: [
      { destinationTable: 'Transactions._id', value: 67 },
      { destinationTable: 'Transactions.submitter', value: 10 },
      { destinationTable: 'Transactions.project', value: 'p' },
      { destinationTable: 'Transactions.instrument', value: 54 },
      {
        ...{ destinationTable: 'Files', _id: [...contents.keys()].indexOf(path) + 1, name: path },
        ...{ subdir: '', size: content.length, hashtype: 'sha1' },
        hashsum: createHash('sha1').update(content).digest('hex'),
      },
    ],
  }
}

async function post(step: Step, round: Round): Promise<string> {
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(eventFor(step, round))
  const response = await fetch(`${url}/receive`, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
  return (await response.json()) as string
}

async function get<T>(path: string): Promise<T> {
  return (await (await fetch(`${url}${path}`)).json()) as T
}

/** Every task is being held at its step. */
async function untilHeld(round: Round): Promise<void> {
  await until(() => {
    const held = STEPS.filter((step) => {
      const mark = join(folder, `${step}.${round}.bin.in-handler`)
      return step.startsWith('in-handler') ? existsSync(mark) : gate.reached.has(step)
    })
    expect(held, service.output()).toEqual(STEPS)
  }, PATIENCE / 3)
}

/** Not what they have started. */
async function killChildren(): Promise<void> {
  for (const pid of await inTask()) {
    const { parent } = readStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    if (parent === service.pid) process.kill(pid, 'SIGKILL')
  }
}

const KILL: Readonly<Record<Round, () => Promise<unknown>>> = {
  supervisor: () => service.kill('SIGKILL'),
  children: killChildren,
  both: async () => {
    await killChildren()
    await service.kill('SIGKILL')
  },
}

test.each(ROUNDS)(
  'with its %s killed at each step, a task has one result, and nothing is left of it',
  async (round) => {
    gate.close()
    const tasks = await Promise.all(STEPS.map((step) => post(step, round)))
    await untilHeld(round)
    await KILL[round]()
    // Also what burns the CPU, and what has taken a process group of its own. With nobody left to see to that at once,
    // it ends before its task is begun again.
    if (round === 'supervisor') await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE / 3)
    gate.open()
    if (round !== 'children') await start()
    for (const [index, task] of tasks.entries()) {
      await until(async () => {
        const shown = await get<object>(`/get/${task}`)
        expect(shown, `${STEPS[index]} ${service.output()}`).toMatchObject({
          taskStatus: '200 OK',
          bundles: [{ unsure: false }],
        })
      }, PATIENCE / 3)
      const results = ingest.jobs.filter((job) => taskOf(job) === task)
      expect(results.map(({ bundle }) => bundle.failure)).toEqual([undefined])
      const [member] = results[0]?.bundle.members ?? []
      const path = `${STEPS[index]}.${round}.bin`
      expect(member?.name).toBe(`data/${path}`)
      expect(member?.content.equals(contents.get(path) ?? Buffer.alloc(0))).toBe(true)
    }
    expect(await readdir(join(folder, 'data/dispatcher/scratch/steps'))).toEqual([])
    await until(() => {
      const left = cartd.carts.filter(({ deleted }) => !deleted)
      expect(left.map(({ order }) => order.fileids[0]?.path)).toEqual([])
    }, PATIENCE / 3)
  },
  PATIENCE,
)
