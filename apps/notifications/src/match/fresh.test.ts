/**
 * A subscription that was committed before an event was accepted sees that event, on every worker: the order of claim,
 * commit and read is forced here, on PostgreSQL, where every worker has a connection of its own.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Event } from '@pacifica/core'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type MigratedDatabase,
  openMigrated,
  silentLog,
  someoneWaits,
} from '../../../../test/harness/index.ts'
import { eventStore } from '../accept/event-store.ts'
import { PrismaClient } from '../database/generated/client.ts'
import { subscriptionStore } from '../subscriptions/store.ts'
import { liveSubscriptions } from './live-subscriptions.ts'
import { matcher } from './match.ts'
import { matchStore } from './match-store.ts'

const TIMEOUT_MS = 300_000
const nothing = async () => {}
const never = new AbortController().signal
let home: MigratedDatabase
let prisma: PrismaClient

beforeAll(async () => {
  home = await openMigrated('postgresql', 'notifications')
  prisma = new PrismaClient({
    adapter: home.database.adapter,
    transactionOptions: { maxWait: TIMEOUT_MS, timeout: TIMEOUT_MS },
  })
}, TIMEOUT_MS)
afterAll(async () => {
  await prisma?.$disconnect()
  await home?.close()
})

const subscriptions = () => subscriptionStore({ prisma })
const wants = (type: string) => `$[?(@.eventType = "${type}")]`
const columns = (type: string) => ({
  ...{ name: type, user: 'ann', jsonpath: wants(type), targetUrl: 'http://example.org/' },
})
const subscribe = async (type: string) => (await subscriptions().create(columns(type))).uuid
const anEvent = (type: string) =>
  Event.parse(
    `{"cloudEventsVersion":"0.1","eventType":"${type}","source":"/s","eventID":"${crypto.randomUUID()}"}`,
  )
const accept = async (type: string) => {
  const [stored] = await eventStore({ sql: home.database }).insert([anEvent(type)])
  return stored?.uuid ?? ''
}
const stateOf = async (event: string) =>
  (await prisma.eventState.findUnique({ where: { event } }))?.state
const subscribersOf = async (event: string) =>
  (await prisma.delivery.findMany({ where: { event } })).map((row) => row.subscription)

interface Between {
  /** Before the worker claims. */
  readonly claim?: () => Promise<unknown>
  /** After that, before it reads what changed. */
  readonly read?: () => Promise<unknown>
}

/** A worker that has done nothing yet; `between` is done by others while it works. */
function worker(database: Database, batch = 100) {
  const between: { -readonly [key in keyof Between]: Between[key] } = {}
  const store = matchStore({ sql: database })
  const live = liveSubscriptions({ sql: database })
  const matching = matcher(
    {
      store: {
        ...store,
        async claimTogether(limit: number) {
          await between.claim?.()
          return store.claimTogether(limit)
        },
      },
      ...{ stopping: never, abandoning: never, follow: nothing, deliverBell: { ring() {} } },
      subscriptions: {
        ...live,
        async refresh() {
          await between.read?.()
          await live.refresh()
        },
      },
      disable: async () => true,
      authorizeBell: { ring() {} },
      metrics: { matched() {}, unmatchable() {}, expressionFailed() {}, settled() {} },
      log: silentLog,
    },
    {
      ...{ batch, batchMs: 60_000, leaseMs: 60_000, policyTtlMs: 60_000 },
      ...{ inHand: { events: 100, length: 1_000_000 }, patienceMs: 60_000, restMs: 60_000 },
    },
  )
  return {
    live,
    async step(given: Between = {}) {
      Object.assign(between, { claim: nothing, read: nothing }, given)
      const more = await matching.step()
      await matching.drained()
      return more
    },
    /** What is accepted by the worker's own process. */
    async accept(type: string, read = nothing) {
      Object.assign(between, { claim: nothing, read })
      const event = anEvent(type)
      const [stored] = await eventStore({ sql: database }).insert([event], undefined, [], 60_000)
      const uuid = stored?.uuid ?? ''
      const { text: jsondata, digest } = event
      await matching.take([{ uuid, jsondata, digest, trace: null, claim: 1, begun: 1 }])
      await matching.drained()
      return uuid
    },
  }
}

test('a subscription that is committed when a batch has begun, before its claim, sees what is accepted then', async () => {
  const one = worker(home.database)
  await one.live.refresh()
  let [subscription, event] = ['', '']
  await one.step({
    async claim() {
      subscription = await subscribe('before the claim')
      event = await accept('before the claim')
    },
  })
  expect(await subscribersOf(event)).toEqual([subscription])
})

test('one that is committed between claim and read sees the next event, and it is no harm that it sees this', async () => {
  const one = worker(home.database)
  await one.live.refresh()
  const first = await accept('after the claim')
  let subscription = ''
  await one.step({
    async read() {
      subscription = await subscribe('after the claim')
    },
  })
  expect(await subscribersOf(first)).toEqual([subscription])
  const second = await accept('after the claim')
  await one.step()
  expect(await subscribersOf(second)).toEqual([subscription])
})

test('an event that is stored as claimed sees what was committed before it, and what is committed until it is read', async () => {
  const one = worker(home.database)
  await one.live.refresh()
  const before = await subscribe('as claimed')
  const first = await one.accept('as claimed')
  expect(await subscribersOf(first)).toEqual([before])
  let between = ''
  const second = await one.accept('as claimed', async () => {
    between = await subscribe('as claimed')
  })
  expect((await subscribersOf(second)).sort()).toEqual([before, between].sort())
  expect(await stateOf(second)).toBe('matched')
})

test('who has read up to a revision has seen all before it: later ones wait for a commit that is late', async () => {
  const [late, other] = [await home.another(), await home.another()]
  const one = worker(other)
  await one.live.refresh()
  const before = one.live.size
  const [commit, inserted] = [signal(), signal()]
  const slow = late.transaction(async (sql) => {
    const [row] = await sql.query<{ revision: number }>(
      'UPDATE subscription_revision SET revision = revision + 1 RETURNING revision',
    )
    await sql.query(
      `INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
       VALUES (gen_random_uuid(), 'late', $1, 'ann', 'http://example.org/', $2)`,
      [wants('late'), row?.revision],
    )
    inserted.give()
    await commit.given
  })
  try {
    await Promise.race([inserted.given, slow])
    const next = subscribe('next')
    await someoneWaits(home.database)
    await one.live.refresh()
    expect(one.live.size).toBe(before)
    commit.give()
    await Promise.all([slow, next])
  } finally {
    commit.give()
    await slow
  }
  const events = [await accept('late'), await accept('next')]
  await one.step()
  expect(one.live.size).toBe(before + 2)
  for (const event of events) expect(await subscribersOf(event)).toHaveLength(1)
})

function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

test(
  'while subscriptions come, change and go all the time, three workers miss nothing and invent nothing',
  async () => {
    const workers = [worker(await home.another(), 3), worker(await home.another(), 3)]
    workers.push(worker(home.database, 3))
    let writing = true
    const loops = workers.map(async (one) => {
      while ((await one.step()) || writing) await pause(1)
    })
    const differences: unknown[] = []
    /** What is accepted now goes to these; the next change of them comes when it is matched. */
    const goesTo = async (type: string, wanted: string[]) => {
      const event = await accept(type)
      while ((await stateOf(event)) === 'new') await pause(2)
      const found = await subscribersOf(event)
      if (String(found) !== String(wanted)) differences.push({ type, wanted, found })
    }
    const write = async (writer: string) => {
      for (let turn = 0; turn < 6; turn += 1) {
        const [first, second] = [`${writer} ${turn} a`, `${writer} ${turn} b`]
        const subscription = await subscribe(first)
        await goesTo(first, [subscription])
        await subscriptions().update(subscription, { jsonpath: wants(second) })
        await goesTo(first, [])
        await goesTo(second, [subscription])
        const moved = { jsonpath: `$[?$.type == '${first}']`, dialect: 'rfc9535', version: 'v1.0' }
        await subscriptions().update(subscription, moved)
        await goesTo(first, [subscription])
        await subscriptions().delete(subscription)
        await goesTo(first, [])
      }
    }
    try {
      await Promise.all(['north', 'east', 'south', 'west'].map(write))
    } finally {
      writing = false
      await Promise.all(loops)
    }
    expect(differences).toEqual([])
  },
  TIMEOUT_MS,
)
