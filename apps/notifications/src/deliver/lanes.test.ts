/** Who is sent what, and how much of it at once: claims on both engines. */
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type DueDeliveries,
  ENGINES,
  emptyTables,
  fillDue,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { PrismaClient } from '../database/generated/client.ts'
import { subscriptionStore } from '../subscriptions/store.ts'
import { type ClaimedDelivery, type Look, lookAtDue } from './claim.ts'
import { type Outcome, settle } from './delivery.ts'
import { followAll, followDeliveries } from './lanes.ts'
import { adjustRamps } from './ramp.ts'
import { recordResults } from './record.ts'
import { DEFAULT_RETRY } from './retry.ts'

const minute = 60_000
const caps = { subscription: 8, host: 32, owner: 32 }
const accepted: Outcome = { kind: 'accepted', status: 200, body: 'ok' }
const hung: Outcome = { kind: 'unreachable', reason: 'no answer' }

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let prisma: PrismaClient
  let sql: Database
  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
    sql = home.database
    prisma = new PrismaClient({ adapter: sql.adapter })
  }, 300_000)
  afterAll(async () => {
    await prisma?.$disconnect()
    await home?.close()
  })
  beforeEach(() => emptyTables(sql))

  const fill = async (...all: DueDeliveries[]) => {
    const uuids: string[] = []
    for (const due of all) uuids.push(await fillDue(sql, due))
    await followDeliveries(sql, uuids)
    return uuids
  }
  const look = async (limit = 64, limits = caps): Promise<Look> => {
    const seen = await lookAtDue(sql, { limit, leaseMs: minute, policyTtlMs: minute, caps: limits })
    await followDeliveries(sql, seen.follow)
    return seen
  }
  const claim = async (limit?: number, limits?: typeof caps) => (await look(limit, limits)).claimed
  const finish = async (claimed: readonly ClaimedDelivery[], outcome: Outcome) => {
    const results = claimed.map((delivery) => {
      const settlement = settle(delivery, outcome, DEFAULT_RETRY, 0.5)
      return { delivery, outcome, settlement, beganAgoMs: 5, durationMs: 5 }
    })
    await adjustRamps(sql, results, caps.subscription)
    await recordResults(sql, results)
    await followDeliveries(
      sql,
      claimed.map(({ subscription }) => subscription),
    )
  }
  const perSubscription = (claimed: readonly ClaimedDelivery[]) => {
    const counts = new Map<string, number>()
    for (const { subscription } of claimed)
      counts.set(subscription, (counts.get(subscription) ?? 0) + 1)
    return [...counts.values()].sort()
  }

  test('a subscription has as many requests in flight as its cap, and another when one is settled', async () => {
    await fill({ name: 'a', count: 20 })
    const first = await claim()
    expect(first).toHaveLength(8)
    const full = await look()
    expect(full).toMatchObject({ claimed: [], blocked: true })
    await finish(first.slice(0, 3), accepted)
    expect(await claim()).toHaveLength(3)
  })

  test('its own max_concurrency wins, also when it is changed meanwhile', async () => {
    const [uuid = ''] = await fill({ name: 'a', count: 20, maxConcurrency: 2 })
    expect(await claim()).toHaveLength(2)
    await subscriptionStore({ prisma }).update(uuid, { maxConcurrency: 12 })
    expect(await claim()).toHaveLength(10)
    await subscriptionStore({ prisma }).update(uuid, { maxConcurrency: null })
    expect(await claim()).toHaveLength(0)
  })

  test('leases that have ended count no more, and what they held is claimed again, told or not', async () => {
    await fill({ name: 'a', count: 8 })
    const first = await claim()
    await sql.query('UPDATE delivery SET due = now()')
    const second = [...(await claim()), ...(await claim())]
    expect(second.map(({ uuid }) => uuid).sort()).toEqual(first.map(({ uuid }) => uuid).sort())
    expect(second.every(({ claim: token }) => token === 2)).toBe(true)
  })

  test('what a dead worker held goes before a backlog that has waited longer', async () => {
    await fill({ name: 'a', count: 50 })
    const first = await claim()
    await sql.query(`UPDATE delivery SET due = now() WHERE state = 'delivering'`)
    const second = [...(await claim()), ...(await claim())]
    expect(second.map(({ uuid }) => uuid).sort()).toEqual(first.map(({ uuid }) => uuid).sort())
  })

  test('all subscriptions of a host share its cap, whatever port and path; a dispatcher is a host of its own', async () => {
    await fill(
      { name: 'a', count: 9, user: 'u1', targetUrl: 'http://Busy.example.org/a' },
      { name: 'b', count: 9, user: 'u2', targetUrl: 'https://busy.example.org:8443/b?x=1' },
      { name: 'c', count: 9, user: 'u3', targetUrl: 'dispatch://busy.example.org' },
      { name: 'd', count: 9, user: 'u4', targetUrl: 'http://[2001:DB8::1]:80/' },
    )
    const hosts = await sql.query<{ host: string }>('SELECT host FROM lane ORDER BY host')
    expect(hosts.map(({ host }) => host)).toEqual(
      [
        '[2001:db8::1]',
        'busy.example.org',
        'busy.example.org',
        'dispatch://busy.example.org',
      ].sort(),
    )
    const limits = { ...caps, host: 6 }
    const claimed = [...(await claim(64, limits)), ...(await claim(64, limits))]
    const there = claimed.filter(({ targetUrl }) => /^https?:\/\/busy/i.test(targetUrl))
    expect(there).toHaveLength(6)
    expect(perSubscription(there)).toEqual([3, 3])
    expect(claimed).toHaveLength(18)
  })

  test('a changed target counts for its new host', async () => {
    const [uuid = ''] = await fill({ name: 'a', count: 1 })
    await subscriptionStore({ prisma }).update(uuid, { targetUrl: 'http://new.example.org/' })
    expect(await sql.query('SELECT host FROM lane')).toEqual([{ host: 'new.example.org' }])
  })

  test('all subscriptions of a user share the user’s cap', async () => {
    await fill(
      { name: 'a', count: 9 },
      { name: 'b', count: 9 },
      { name: 'c', count: 9, user: 'bob' },
    )
    const limits = { ...caps, owner: 5 }
    const claimed = [...(await claim(64, limits)), ...(await claim(64, limits))]
    expect(claimed.filter(({ owner }) => owner === 'ann')).toHaveLength(5)
    expect(claimed.filter(({ owner }) => owner === 'bob')).toHaveLength(5)
  })

  test('a long backlog does not make others wait: each lane has its share, then its turn is over', async () => {
    await fill(
      { name: 'long', count: 500 },
      { name: 'short', count: 1 },
      { name: 'other', count: 3 },
    )
    expect(perSubscription(await claim(3))).toEqual([1, 1, 1])
    await fill({ name: 'new', count: 5 })
    const next = await claim(2)
    expect(perSubscription(next), 'who came later goes before who had a turn').toEqual([1, 1])
    const [fresh] = await sql.query<{ uuid: string }>(`SELECT md5('new')::uuid AS uuid`)
    expect(next.map(({ subscription }) => subscription)).toContain(fresh?.uuid)
  })

  test('a target that fails gets one request, then two, four, eight, as it answers well again', async () => {
    await fill({ name: 'a', count: 100 })
    const before = await claim()
    await finish(before.slice(0, 7), hung)
    expect(await claim(), 'one of the old ones is still in flight').toHaveLength(0)
    await finish(before.slice(7), hung)
    const sizes: number[] = []
    for (let step = 0; step < 5; step += 1) {
      const claimed = await claim()
      sizes.push(claimed.length)
      await finish(claimed, accepted)
    }
    expect(sizes).toEqual([1, 2, 4, 8, 8])
    expect(await sql.query('SELECT ramp FROM lane')).toEqual([{ ramp: null }])
  })

  test('of eight requests two are retries when both wait; either kind takes what the other leaves', async () => {
    await fill({ name: 'a', count: 50 }, { name: 'a', count: 50, attempt: 1, ago: 10 })
    const mixed = await claim()
    expect(mixed.filter(({ attempt }) => attempt > 0)).toHaveLength(2)
    expect(mixed).toHaveLength(8)
    await fill({ name: 'retries', count: 20, attempt: 1 }, { name: 'firsts', count: 20 })
    expect(perSubscription(await claim())).toEqual([8, 8])
  })

  test('one at a time, each fourth is a retry; while its target fails, fifteen of sixteen are', async () => {
    await fill({ name: 'a', count: 50 }, { name: 'a', count: 50, attempt: 1, ago: 10 })
    const retriesOf = async (outcome: Outcome) => {
      let retries = 0
      for (let turn = 0; turn < 16; turn += 1) {
        const claimed = await claim(1)
        retries += claimed.filter(({ attempt }) => attempt > 0).length
        await finish(claimed, outcome)
      }
      return retries
    }
    expect(await retriesOf(accepted)).toBe(4)
    await finish(await claim(1), hung)
    expect(await retriesOf(hung)).toBe(15)
  })

  test('what nobody was told of is found, without a lane and with one that sleeps too long', async () => {
    await fillDue(sql, { name: 'untold', count: 1 })
    await fill({ name: 'asleep', count: 1 })
    await sql.query(`UPDATE lane SET next_due = now() + interval '1 hour'`)
    expect(await look()).toMatchObject({ claimed: [], blocked: false })
    expect(await followAll(sql)).toBe(2)
    expect(await followAll(sql), 'nothing is left to be done').toBe(0)
    expect(perSubscription(await claim())).toEqual([1, 1])
  })

  test('a lane sleeps until the earliest delivery that waits, and no longer', async () => {
    await fill({ name: 'a', count: 2 })
    const [first, second] = await claim()
    if (first === undefined || second === undefined) throw new Error('nothing was claimed')
    await finish([first], { kind: 'refused', status: 404, body: '', reason: 'not found' })
    await finish([second], accepted)
    const [lane] = await sql.query<{ same: boolean }>(
      `SELECT l.next_due = d.due AS same FROM lane l JOIN delivery d ON d.state = 'retrying'`,
    )
    expect(lane).toEqual({ same: true })
    expect(await look()).toMatchObject({ claimed: [], blocked: false })
  })

  test('a lane in which nothing is due any more goes to sleep, and says so', async () => {
    const [uuid = ''] = await fill({ name: 'a', count: 2 })
    await sql.query(`UPDATE delivery SET state = 'cancelled', due = NULL`)
    expect(await look()).toMatchObject({ claimed: [], aside: [], blocked: false, follow: [uuid] })
    expect(await look()).toMatchObject({ claimed: [], aside: [], blocked: false, follow: [] })
  })

  if (engine === 'postgresql')
    test('a delivery that somebody holds keeps nobody from the others, and goes out afterwards', async () => {
      const [held = ''] = await fill(
        { name: 'held', count: 1, ago: 7_200 },
        { name: 'free', count: 1 },
      )
      const other = await home.another()
      await other.transaction(async (tx) => {
        await tx.query('SELECT FROM delivery WHERE subscription = $1 FOR UPDATE', [held])
        const first = await look(1)
        expect(first).toMatchObject({ claimed: [], follow: [], late: false, blocked: true })
        const [next, ...others] = await claim(1)
        expect(next?.targetUrl).toBe('http://free.example.org/')
        expect(others).toEqual([])
        expect(await look(1)).toMatchObject({ claimed: [], follow: [], blocked: true })
      })
      expect(await claim(1)).toMatchObject([{ subscription: held }])
    })

  test('deliveries of a disabled subscription are set aside without regard to its cap', async () => {
    const [uuid = ''] = await fill({ name: 'a', count: 30, maxConcurrency: 1 })
    await subscriptionStore({ prisma }).update(uuid, { disabled: new Date() })
    expect((await look()).aside).toHaveLength(30)
    await subscriptionStore({ prisma }).update(uuid, { disabled: null, error: null })
    expect(await claim()).toHaveLength(1)
  })
})
