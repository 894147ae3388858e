/** Several workers claim at once, on PostgreSQL: whatever they do, no cap is ever exceeded, and nothing is claimed twice. */
import { setTimeout as pause } from 'node:timers/promises'
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { storedInHand, withLane } from '../../../../test/harness/in-hand.ts'
import { fillDue, type MigratedDatabase, someoneWaits } from '../../../../test/harness/index.ts'
import { openScene, type Scene, YES } from '../../../../test/harness/scene.ts'
import { matchStore } from '../match/match-store.ts'
import { type ClaimedDelivery, lookAtDue } from './claim.ts'
import { claimTurns } from './claim-turns.ts'
import { type Outcome, settle } from './delivery.ts'
import { inFlight } from './in-flight.ts'
import { followAll, followDeliveries } from './lanes.ts'
import { adjustRamps } from './ramp.ts'
import { recordResults } from './record.ts'
import { DEFAULT_RETRY } from './retry.ts'

const caps = { subscription: 3, host: 7, owner: 11 }
const limits = { limit: 5, leaseMs: 3_600_000, policyTtlMs: 60_000, caps }
const OUTCOMES: Outcome[] = [
  { kind: 'accepted', status: 200, body: '' },
  { kind: 'accepted', status: 200, body: '' },
  { kind: 'refused', status: 404, body: '', reason: 'not found' },
  { kind: 'unsent' },
]
const SUBSCRIPTIONS = 16
const EACH = 40

let scene: Scene
let home: MigratedDatabase
beforeAll(async () => {
  scene = await openScene('postgresql')
  home = scene.home
}, 300_000)
afterAll(() => scene?.close())

/** Claims until nothing may be claimed; answers what it got. */
async function claimAll(worker: Database): Promise<ClaimedDelivery[]> {
  const all: ClaimedDelivery[] = []
  for (;;) {
    const { claimed, follow, late } = await lookAtDue(worker, limits)
    all.push(...claimed)
    await followDeliveries(worker, follow)
    if (claimed.length === 0 && !late) return all
  }
}

async function settleAll(worker: Database, claimed: readonly ClaimedDelivery[], round: number) {
  const results = claimed.map((delivery, place) => {
    const outcome = OUTCOMES[(place + round) % OUTCOMES.length] as Outcome
    const settlement = settle(delivery, outcome, DEFAULT_RETRY, 0.5)
    return { delivery, outcome, settlement, beganAgoMs: 1, durationMs: 1 }
  })
  await adjustRamps(worker, results, caps.subscription)
  await recordResults(worker, results)
  await followDeliveries(
    worker,
    claimed.map(({ subscription }) => subscription),
  )
}

const COUNTS = `
  SELECT max(count(*)) OVER () AS most FROM delivery d JOIN lane l USING (subscription)
  WHERE d.state = 'delivering' GROUP BY `

const mostPer = async (what: string) =>
  (await home.database.query<{ most: number }>(`${COUNTS} ${what}`))[0]?.most ?? 0

test('four workers that claim and settle at once never exceed a cap, and share out all there is', async () => {
  for (let n = 0; n < SUBSCRIPTIONS; n += 1)
    await fillDue(home.database, {
      ...{ name: `s${n}`, count: EACH, user: `u${n % 3}` },
      targetUrl: `http://h${n % 4}.example.org/`,
    })
  await followAll(home.database)
  const workers = [home.database, await home.another(), await home.another(), await home.another()]
  let held: ClaimedDelivery[] = []
  for (let round = 0; round < 12; round += 1) {
    // Half of what is in flight is settled while the others claim.
    const half = held.filter((_, place) => place % 2 === round % 2)
    const [, ...claims] = await Promise.all([
      settleAll(workers[0] as Database, half, round),
      ...workers.map(claimAll),
    ])
    const claimed = claims.flat()
    held = [...held.filter((delivery) => !half.includes(delivery)), ...claimed]
    const tokens = held.map(({ uuid }) => uuid)
    expect(new Set(tokens).size, 'nothing is in two hands').toBe(tokens.length)
    expect(await mostPer('l.subscription')).toBeLessThanOrEqual(caps.subscription)
    expect(await mostPer('l.host')).toBeLessThanOrEqual(caps.host)
    expect(await mostPer('l.owner')).toBeLessThanOrEqual(caps.owner)
  }
  // Nothing sleeps that could go out: what the caps allow is in flight when all have stopped.
  await claimAll(home.database).then((last) => held.push(...last))
  expect(await mostPer('l.host')).toBe(caps.host)
}, 120_000)

test('workers that count their own requests, and make room before they store, have no more under way than the caps allow', async () => {
  await scene.empty()
  for (let n = 0; n < SUBSCRIPTIONS; n += 1)
    await fillDue(home.database, {
      ...{ name: `s${n}`, count: EACH, user: `u${n % 3}` },
      targetUrl: `http://h${n % 4}.example.org/`,
    })
  await followAll(home.database)
  const underWay = new Set<ClaimedDelivery>()
  const most = { subscription: 0, host: 0, owner: 0 }
  const look = () => {
    for (const key of ['subscription', 'host', 'owner'] as const) {
      const counts = new Map<string, number>()
      for (const one of underWay) counts.set(one[key], (counts.get(one[key]) ?? 0) + 1)
      most[key] = Math.max(most[key], ...counts.values())
    }
  }
  const worker = async (database: Database) => {
    const requests = inFlight()
    const inTurn = claimTurns({ database, inFlight: requests, now: () => performance.now() })
    const storing: Promise<unknown>[] = []
    const send = async (delivery: ClaimedDelivery, place: number) => {
      underWay.add(delivery)
      look()
      await pause(place % 5)
      underWay.delete(delivery)
      const madeRoom = place % 4 > 0 && requests.answered(delivery)
      await pause(5)
      await settleAll(database, [delivery], 0)
      requests.stored(delivery, madeRoom)
    }
    for (let idle = 0; idle < 20; ) {
      const { claimed, follow, late } = await inTurn((sql) =>
        lookAtDue(sql, { ...limits, own: requests.own }),
      )
      storing.push(...claimed.map(send))
      await followDeliveries(database, follow)
      idle = claimed.length > 0 || late ? 0 : idle + 1
      if (claimed.length === 0) await pause(5)
    }
    await Promise.all(storing)
    return requests.own
  }
  const workers = [await home.another(), await home.another(), await home.another()]
  const left = await Promise.all(workers.map(worker))
  for (const own of left) expect(own).toMatchObject({ lanes: '{}', hosts: '{}', owners: '{}' })
  expect(most.subscription).toBeLessThanOrEqual(caps.subscription)
  expect(most.host).toBeLessThanOrEqual(caps.host)
  expect(most.owner).toBeLessThanOrEqual(caps.owner)
  expect(
    await home.database.query('SELECT state, count(*)::int FROM delivery GROUP BY state'),
  ).toEqual([{ state: 'delivered', count: SUBSCRIPTIONS * EACH }])
}, 120_000)

test('with a claim that is committed after what is in flight was counted, nothing is claimed as it is stored, and nothing is lost', async () => {
  await scene.empty()
  const subscription = await withLane(scene, 'turn')
  const record = async () => {
    const room = { ...limits, dispatching: true, own: inFlight().own }
    const matched = await storedInHand(scene, ['turn', 'turn'], YES)
    return matchStore({ sql: home.database }).record(matched, room)
  }
  const late = await (await home.another()).transaction(async (sql) => {
    await sql.query('SELECT turn FROM claim_turn FOR UPDATE')
    const recorded = record()
    await Promise.race([someoneWaits(home.database), recorded])
    await sql.query('UPDATE claim_turn SET turn = turn + 1')
    return { recorded }
  })
  const { claimed, released, ages } = await late.recorded
  expect({ claimed, released, ages: ages.size }).toEqual({
    ...{ claimed: [], released: [subscription], ages: 2 },
  })
  await followDeliveries(home.database, released)
  expect(await claimAll(home.database)).toHaveLength(2)
  expect((await record()).claimed, 'the cap is three').toHaveLength(1)
}, 120_000)
