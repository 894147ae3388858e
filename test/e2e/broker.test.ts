/**
 * Both services as processes of their own, on PostgreSQL and RabbitMQ: what was answered 200 has its task done, once,
 * although the dispatcher is killed and the broker crashes meanwhile, and notifications shows what became of it.
 * BROKER_EVENTS sets the number of events.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createTestDatabase,
  freePort,
  type Rabbitmq,
  type ServiceProcess,
  startRabbitmq,
  startService,
} from '../harness/index.ts'
import { postAll } from './ledger.ts'

const EVENTS = Number(process.env['BROKER_EVENTS'] ?? 100)
const PATIENCE = 600_000

let folder: string
let broker: Rabbitmq
let databases: Awaited<ReturnType<typeof createTestDatabase>>[]
let urls: { readonly notifications: string; readonly dispatcher: string }
let running: Map<string, ServiceProcess>

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-broker-'))
  databases = [await createTestDatabase(), await createTestDatabase()]
  broker = await startRabbitmq({ own: true })
  running = new Map()
  urls = {
    notifications: `http://127.0.0.1:${await freePort()}`,
    dispatcher: `http://127.0.0.1:${await freePort()}`,
  }
}, PATIENCE)
afterEach(async () => {
  await Promise.all([...running.values()].map((service) => service.kill('SIGTERM')))
  await broker.stop()
  for (const database of databases) await database.drop()
  await rm(folder, { recursive: true, force: true })
})

async function start(app: 'notifications' | 'dispatcher'): Promise<void> {
  const port = new URL(urls[app]).port
  const [notificationsDatabase, dispatcherDatabase] = databases
  const service = startService(`apps/${app}/dist/main.js`, {
    DATA_DIR: folder,
    BROKER_URL: broker.url,
    LOG_LEVEL: 'warn',
    ...(app === 'notifications'
      ? {
          NOTIFICATIONS_PORT: port,
          DATABASE_URL: notificationsDatabase?.url ?? '',
          POLICY_URL: 'allow-all',
          DEFAULT_USER: 'somebody',
        }
      : {
          DISPATCHER_PORT: port,
          DISPATCHER_DATABASE_URL: dispatcherDatabase?.url ?? '',
          DISPATCHER_MODULE: join(import.meta.dirname, 'dispatchers/noop.mjs'),
          DISPATCHER_LEASE: '10s',
          CARTD_URL: `file://${folder}/`,
          INGEST_URL: `file://${folder}/`,
        }),
  })
  running.set(app, service)
  await service.ready([urls[app]])
}

interface Task {
  readonly taskID: string
  readonly eventID: string
  readonly taskStatus: string
}

async function tasks(): Promise<Task[]> {
  const list = (await (await fetch(`${urls.dispatcher}/?limit=1000`)).json()) as {
    taskID: string
  }[]
  return Promise.all(
    list.map(async ({ taskID }) => (await fetch(`${urls.dispatcher}/get/${taskID}`)).json()),
  ) as Promise<Task[]>
}

async function untilDone(count: number): Promise<Task[]> {
  const deadline = performance.now() + PATIENCE / 2
  for (;;) {
    const all = await tasks()
    const done = all.filter(({ taskStatus }) => taskStatus.startsWith('200'))
    if (done.length >= count) return all
    if (performance.now() > deadline)
      throw new Error(
        `${done.length} of ${count} done: ${[...running.values()].map((s) => s.output())}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

interface SeenDelivery {
  readonly event: string
  readonly tasks: {
    task: string
    dispatcher: string
    status: string
    events: { state: string }[]
  }[]
}

/** What notifications shows of all deliveries of the subscription. */
async function deliveries(subscription: string): Promise<SeenDelivery[]> {
  const seen: SeenDelivery[] = []
  let page: string | undefined = `/eventmatch/${subscription}/deliveries?limit=500`
  while (page !== undefined) {
    const answer: Response = await fetch(new URL(page, urls.notifications))
    seen.push(...((await answer.json()) as SeenDelivery[]))
    const next = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    page = next && new URL(next, answer.url).href
  }
  return seen
}

/** Until every delivery shows its task as done. */
async function untilTold(subscription: string, count: number): Promise<SeenDelivery[]> {
  const deadline = performance.now() + PATIENCE / 2
  for (;;) {
    const seen = await deliveries(subscription)
    const told = seen.filter(({ tasks: [task] }) => task?.status === '200 OK')
    if (told.length >= count) return seen
    if (performance.now() > deadline)
      throw new Error(
        `${told.length} of ${count} told: ${[...running.values()].map((s) => s.output())}`,
      )
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** Of both services. */
async function untilReadiness(expected: boolean): Promise<void> {
  const deadline = performance.now() + 60_000
  for (;;) {
    const answers = await Promise.all(Object.values(urls).map((url) => fetch(`${url}/readyz`)))
    if (answers.every(({ ok }) => ok === expected)) return
    if (performance.now() > deadline) throw new Error(`readiness is not ${expected} everywhere`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

test(
  'an event goes from one process to the other, and nothing is lost when dispatcher and broker are killed',
  async () => {
    await start('dispatcher')
    await start('notifications')
    const subscribed = await fetch(`${urls.notifications}/eventmatch`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'all', jsonpath: '$.data', target_url: 'dispatch://example' }),
    })
    expect(subscribed.status).toBe(200)
    const { uuid: subscription } = (await subscribed.json()) as { uuid: string }

    const faults: Promise<void>[] = []
    const atHalf = async () => {
      await untilTold(subscription, 1) // queues that are in use: one just declared may not outlive a crash
      await broker.halt('hard')
      await untilReadiness(false)
      await broker.resume()
    }
    const ids = await postAll([urls.notifications], EVENTS, (answered) => {
      if (answered === Math.floor(EVENTS / 4))
        faults.push(
          running
            .get('dispatcher')
            ?.kill('SIGKILL')
            .then(() => start('dispatcher')) ?? atHalf(),
        )
      if (answered === Math.floor(EVENTS / 2)) faults.push(Promise.all(faults).then(atHalf))
    })
    await Promise.all(faults)
    const all = await untilDone(EVENTS)
    expect(all.map(({ eventID }) => eventID).sort()).toEqual(ids.sort())
    await untilReadiness(true)

    const seen = await untilTold(subscription, EVENTS)
    expect(seen).toHaveLength(EVENTS)
    const known = new Set(all.map(({ taskID }) => taskID))
    for (const { tasks: shown } of seen) {
      expect(shown).toHaveLength(1)
      const [task] = shown
      expect(known).toContain(task?.task)
      expect(task?.dispatcher).toBe('example')
      expect(task?.events.at(-1)?.state).toBe('done')
      expect(task?.events[0]?.state).toBe('waiting')
    }
  },
  PATIENCE,
)

test(
  'a service starts without its broker, says that it is not ready, and is when the broker comes',
  async () => {
    await broker.halt('hard')
    const starting = [start('dispatcher'), start('notifications')]
    for (const url of Object.values(urls)) await untilListening(url)
    await untilReadiness(false)
    await broker.resume()
    await Promise.all(starting)
  },
  PATIENCE,
)

async function untilListening(url: string): Promise<void> {
  const deadline = performance.now() + 120_000
  while (
    !(await fetch(`${url}/healthz`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (performance.now() > deadline) throw new Error(`${url} does not listen`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
