/** `npm start` as an operator meets it: signals, a second process, kills, restarts. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort, type ServiceProcess, startService } from '../harness/index.ts'

const ROOT = join(import.meta.dirname, '../..')
const ENTRY = 'apps/standalone/dist/main.js'
const PATIENCE = 300_000

let folder: string
let env: Record<string, string>
let urls: string[]
let started: ServiceProcess[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'standalone-test-'))
  const ports = [await freePort(), await freePort()]
  urls = ports.map((port) => `http://127.0.0.1:${port}`)
  env = {
    DATA_DIR: folder,
    NOTIFICATIONS_PORT: String(ports[0]),
    DISPATCHER_PORT: String(ports[1]),
    LOG_LEVEL: 'warn',
  }
  started = []
})
afterEach(async () => {
  await Promise.all(started.map((service) => service.kill('SIGKILL')))
  await rm(folder, { recursive: true, force: true })
})

function start(more: Record<string, string> = {}, args: readonly string[] = []): ServiceProcess {
  const service = startService(ENTRY, { ...env, ...more }, args)
  started.push(service)
  return service
}

test(
  'npm start is node: a signal to it stops the service, which ends with 0',
  async () => {
    const npm = spawn('npm', ['start', '--silent'], {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(npm, 'close')
    try {
      let said = ''
      npm.stdout.on('data', (piece) => {
        said += piece
      })
      const deadline = performance.now() + 120_000
      while (!said.includes('Stop with Ctrl-C') && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, 100))
      expect(said).toContain(`${urls[0]}/docs`)
      const curl = said.split('\n').find((line) => line.includes('curl'))
      expect(curl).toContain('/eventmatch')
      npm.kill('SIGTERM')
      expect(await ended).toEqual([0, null])
      await expect(fetch(`${urls[0]}/healthz`)).rejects.toThrow()
    } finally {
      npm.kill('SIGKILL')
    }
  },
  PATIENCE,
)

test(
  'what it held is there after a kill and a restart, which is ready within a minute',
  async () => {
    const first = start()
    await first.ready(urls)
    const created = await fetch(`${urls[0]}/eventmatch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'kept', jsonpath: 'data', target_url: 'dispatch://example' }),
    })
    const { uuid } = (await created.json()) as { uuid: string }
    await first.kill('SIGKILL')
    await start().ready(urls, 60_000)
    const kept = await fetch(`${urls[0]}/eventmatch/${uuid}`)
    expect(await kept.json()).toMatchObject({ uuid, name: 'kept', user: 'default_user' })
    expect(await taskOfPosted()).toMatchObject({
      dispatcher: 'example',
      status: '422 Unprocessable Entity',
      exception_type: 'RouteNotFoundRouterError',
    })
  },
  PATIENCE,
)

/** What notifications shows of the task that an event which no route wants becomes, when it has come to its end. */
async function taskOfPosted(): Promise<unknown> {
  const posted = await fetch(`${urls[0]}/receive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ cloudEventsVersion: '0.1', eventType: 'unwanted', source: '/s', eventID: '1' },
      data: [],
    }),
  })
  const event = `${urls[0]}/events/${await posted.text()}`
  const deadline = performance.now() + PATIENCE / 2
  for (;;) {
    const { deliveries } = (await (await fetch(event)).json()) as {
      deliveries: { tasks: { settled: string | null }[] }[]
    }
    const task = deliveries[0]?.tasks[0]
    if (task !== undefined && task.settled !== null) return task
    if (performance.now() > deadline) throw new Error(JSON.stringify(deliveries))
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test(
  'a second process on the same data folder ends with one line that names the first',
  async () => {
    const first = start()
    await first.ready(urls)
    const second = start({ NOTIFICATIONS_PORT: '0', DISPATCHER_PORT: '0' })
    expect(await second.ended()).toBe(1)
    const lines = second.output().trim().split('\n')
    const said = lines.filter((line) => !line.startsWith('{'))
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(folder)
    expect(said[0]).toContain(String(first.pid))
    await first.ready(urls)
  },
  PATIENCE,
)

test(
  'a port that is in use ends the start with one line that says which setting to change',
  async () => {
    const first = start()
    await first.ready(urls)
    const other = start({ DATA_DIR: await mkdtemp(join(folder, 'other-')), DISPATCHER_PORT: '0' })
    expect(await other.ended()).toBe(1)
    expect(other.output()).toContain('NOTIFICATIONS_PORT')
  },
  PATIENCE,
)

test(
  'mistakes in the settings are told all at once, and nothing is started',
  async () => {
    const wrong = start({
      NOTIFICATIONS_PORT: 'many',
      DISPATCHER_LEASE: 'long',
      DISPATCHER_PROT: '1',
    })
    expect(await wrong.ended()).toBe(1)
    for (const name of ['NOTIFICATIONS_PORT', 'DISPATCHER_LEASE', 'DISPATCHER_PROT'])
      expect(wrong.output()).toContain(name)
  },
  PATIENCE,
)

test(
  'on more than loopback it wants a Policy and credentials, or to be told that none are meant',
  async () => {
    const open = start({ NOTIFICATIONS_HOST: '0.0.0.0' })
    expect(await open.ended()).toBe(1)
    expect(open.output()).toContain('POLICY_URL')
    const closed = start({ NOTIFICATIONS_HOST: '0.0.0.0', POLICY_URL: 'allow-all' })
    expect(await closed.ended()).toBe(1)
    expect(closed.output()).toContain('ALLOW_ALL_ON_NETWORK')
    expect(closed.output()).toContain('RECEIVE_AUTH')
  },
  PATIENCE,
)

test(
  'it says its version',
  async () => {
    const asked = start({}, ['--version'])
    expect(await asked.ended()).toBe(0)
    expect(asked.output().trim()).toMatch(/^\d+\.\d+\.\d+$/)
  },
  PATIENCE,
)
