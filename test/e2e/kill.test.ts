/**
 * Nothing that got a 200 is lost, however often the services are killed. LEDGER_EVENTS sets the number of events
 * (default 120; 1000 and more for a long run).
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createTestDatabase,
  freePort,
  type ServiceProcess,
  startService,
} from '../harness/index.ts'
import { eventsWithTask, type Ledger, postAll, settleLedger } from './ledger.ts'
import { startTarget, type TargetServer } from './target.ts'

const EVENTS = Number(process.env['LEDGER_EVENTS'] ?? 120)
const KILLS = 3
/** Deliveries that each process may have in hand: what a kill can make come twice. */
const IN_HAND = 16
const PATIENCE = 600_000

/** Both services in one process, which can be started again on the same data. */
interface Pair {
  readonly notifications: string
  readonly dispatcher: string
  start(): Promise<void>
  killAndStartAgain(): Promise<void>
  stop(): Promise<void>
}

let folder: string
let target: TargetServer
let pairs: Pair[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-kill-'))
  target = await startTarget()
  pairs = []
})
afterEach(async () => {
  await Promise.all(pairs.map((pair) => pair.stop()))
  await target.close()
  await rm(folder, { recursive: true, force: true })
})

async function aPair(env: Record<string, string>): Promise<Pair> {
  const [notificationsPort, dispatcherPort] = [await freePort(), await freePort()]
  const urls = [
    `http://127.0.0.1:${notificationsPort}`,
    `http://127.0.0.1:${dispatcherPort}`,
  ] as const
  let running: ServiceProcess
  const start = async () => {
    running = startService('apps/standalone/dist/main.js', {
      NOTIFICATIONS_PORT: String(notificationsPort),
      DISPATCHER_PORT: String(dispatcherPort),
      DELIVERY_CONCURRENCY: String(IN_HAND),
      DELIVERY_TIMEOUT: '5s',
      DISPATCHER_LEASE: '10s',
      MATCH_LEASE: '30s',
      LOG_LEVEL: 'warn',
      ...env,
    })
    await running.ready(urls)
  }
  const pair: Pair = {
    notifications: urls[0],
    dispatcher: urls[1],
    start,
    async killAndStartAgain() {
      await running.kill('SIGKILL')
      await start()
    },
    async stop() {
      await running.kill('SIGTERM')
    },
  }
  pairs.push(pair)
  return pair
}

async function subscribe(url: string, targetUrl: string): Promise<void> {
  const answer = await fetch(`${url}/eventmatch`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'ledger', jsonpath: '$.data', target_url: targetUrl }),
  })
  expect(answer.status).toBe(200)
}

/** Kills the pairs in turn while events are posted, and gives them time to catch up. */
async function runLedger(): Promise<Ledger> {
  const [first] = pairs
  if (first === undefined) throw new Error('no services')
  await subscribe(first.notifications, target.url)
  await subscribe(first.notifications, 'dispatch://example')
  const kills: Promise<void>[] = []
  let due = 1
  const ids = await postAll(
    pairs.map((pair) => pair.notifications),
    EVENTS,
    (answered) => {
      if (due > KILLS || answered < (EVENTS * due) / (KILLS + 1)) return
      const victim = pairs[due % pairs.length]
      due += 1
      kills.push((kills.at(-1) ?? Promise.resolve()).then(() => victim?.killAndStartAgain()))
    },
  )
  await Promise.all(kills)
  const settled = async () => settleLedger(ids, target, await eventsWithTask(first.dispatcher))
  const until = performance.now() + PATIENCE / 2
  let ledger = await settled()
  while (ledger.undelivered.length + ledger.withoutTask.length > 0 && performance.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    ledger = await settled()
  }
  console.log(
    `ledger: ${ledger.posted} events, ${kills.length} kills, ${ledger.duplicates} duplicates`,
  )
  return ledger
}

function expectNothingLost(ledger: Ledger): void {
  expect(ledger).toMatchObject({ posted: EVENTS, undelivered: [], withoutTask: [], renamed: [] })
  expect(ledger.duplicates).toBeLessThanOrEqual(KILLS * IN_HAND)
}

test(
  'on embedded engines, every event that got a 200 is delivered and has its task',
  async () => {
    const pair = await aPair({ DATA_DIR: folder })
    await pair.start()
    expectNothingLost(await runLedger())
  },
  PATIENCE,
)

test(
  'on PostgreSQL with two processes, every event that got a 200 is delivered and has its task',
  async () => {
    const [notifications, dispatcher] = [await createTestDatabase(), await createTestDatabase()]
    try {
      for (const name of ['a', 'b']) {
        const dataDir = await mkdtemp(join(folder, name))
        const databases = {
          DATABASE_URL: notifications.url,
          DISPATCHER_DATABASE_URL: dispatcher.url,
        }
        await (await aPair({ DATA_DIR: dataDir, ...databases })).start()
      }
      expectNothingLost(await runLedger())
    } finally {
      await Promise.all(pairs.splice(0).map((pair) => pair.stop()))
      await notifications.drop()
      await dispatcher.drop()
    }
  },
  PATIENCE,
)
