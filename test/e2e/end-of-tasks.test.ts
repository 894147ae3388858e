/**
 * How tasks end that do not end by themselves: cancelled, out of time, their service stopped. A real service on
 * PostgreSQL, which is an author's own program.
 */
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
let service: ServiceProcess
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'end-of-tasks-'))
  database = await createTestDatabase()
}, PATIENCE)
afterAll(async () => {
  await service.kill('SIGKILL')
  await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
  await database.drop()
  await rm(folder, { recursive: true })
}, PATIENCE)

async function start(env: Readonly<Record<string, string>> = {}): Promise<void> {
  url = `http://127.0.0.1:${await freePort()}`
  await mkdir(join(folder, 'data'), { recursive: true })
  service = startService('test/e2e/dispatchers/own-program.mjs', {
    DATA_DIR: join(folder, 'data'),
    DISPATCHER_PORT: new URL(url).port,
    DISPATCHER_DATABASE_URL: database.url,
    DISPATCHER_CONCURRENCY: '4',
    DISPATCHER_TASK_GRACE: '500ms',
    DISPATCHER_LEASE: '600s',
    LOG_LEVEL: 'warn',
    ...env,
  })
  await service.ready([url], PATIENCE)
}

let number = 0
async function post(type: string): Promise<string> {
  number += 1
  const event = { specversion: '1.0', id: `E-${number}`, source: '/s', type }
  const headers = { 'content-type': 'application/json' }
  const body = JSON.stringify(event)
  const response = await fetch(`${url}/receive`, { method: 'POST', headers, body })
  expect(response.status).toBe(200)
  return (await response.json()) as string
}

async function untilStatus(task: string, status: string): Promise<Record<string, unknown>> {
  return await until(async () => {
    const shown = (await (await fetch(`${url}/get/${task}`)).json()) as Record<string, unknown>
    expect(shown['taskStatus'], service.output()).toBe(status)
    return shown
  }, PATIENCE)
}

/** Its handler has said so in the task's log. */
async function untilSaid(task: string, text: string): Promise<void> {
  await until(async () => {
    const log = await (await fetch(`${url}/tasks/${task}/log`)).text()
    expect(log, service.output()).toContain(text)
  }, PATIENCE)
}

async function cancel(task: string): Promise<number> {
  return (await fetch(`${url}/tasks/${task}`, { method: 'DELETE' })).status
}

const scratch = () => readdir(join(folder, 'data/dispatcher/scratch/odd'))

test(
  'a task that is cancelled ends, whether its handler listens or not, long before the next heartbeat',
  async () => {
    await start()
    const handlers = { listens: 'listening', busy: 'busy', deaf: 'deaf' }
    for (const [type, said] of Object.entries(handlers)) {
      const task = await post(type)
      await untilSaid(task, said)
      expect(await cancel(task)).toBe(202)
      const shown = await untilStatus(task, '499 Client Closed Request')
      expect(shown).toMatchObject({ exceptionType: 'TaskCancelledError' })
    }
    await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
    expect(await scratch()).toEqual([])
    expect(await service.kill('SIGTERM'), service.output()).toBe(0)
  },
  PATIENCE,
)

test(
  'a service that is told to end at once hands its tasks back, and ends their processes',
  async () => {
    await start({ DISPATCHER_LEASE: '20s' })
    const tasks = [await post('busy'), await post('listens')]
    await untilSaid(tasks[0] ?? '', 'busy')
    await untilSaid(tasks[1] ?? '', 'listening')
    const ended = service.kill('SIGTERM')
    await until(() => expect(fetch(`${url}/healthz`)).rejects.toThrow())
    service.kill('SIGTERM').catch(() => undefined)
    expect(await ended, service.output()).toBe(1)
    await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
    await start({ DISPATCHER_TASK_TIMEOUT: '3s' })
    for (const task of tasks) {
      const shown = await untilStatus(task, '504 Gateway Timeout')
      expect(shown).toMatchObject({ exceptionType: 'TaskTimeoutError' })
    }
    await untilNoProcessHas(`TMPDIR=${folder}`, PATIENCE)
    expect(await scratch()).toEqual([])
  },
  PATIENCE,
)
