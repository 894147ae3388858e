/** What is in flight: a process counts its own requests by itself, and those of others by their leases. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { storedInHand, withLane } from '../../../../test/harness/in-hand.ts'
import { ENGINES, fillDue } from '../../../../test/harness/index.ts'
import { openScene, REFUSED, type Scene, YES } from '../../../../test/harness/scene.ts'
import { matchStore } from '../match/match-store.ts'
import { type ClaimedDelivery, lookAtDue } from './claim.ts'
import { type InFlight, inFlight } from './in-flight.ts'
import { followAll } from './lanes.ts'

const hour = 3_600_000
const WIDE = { subscription: 100, host: 100, owner: 100 }

const asked = (subscription: string, host = 'h') => ({ subscription, host, owner: 'a"b' })
const counted = ({ own: { lanes, hosts, owners } }: InFlight) =>
  [lanes, hosts, owners].map((text) => JSON.parse(text))

test('requests are counted by subscription, host and user until they end; what was never begun changes nothing', () => {
  const ours = inFlight()
  ours.begin([asked('one'), asked('two'), asked('two'), asked('two')])
  ours.stored(asked('one'), false)
  ours.stored(asked('never begun'), false)
  expect(ours.answered(asked('two'))).toBe(true)
  expect(counted(ours)).toEqual([{ two: 2 }, { h: 2 }, { 'a"b': 2 }])
  ours.stored(asked('two'), true)
  expect(counted(ours)).toEqual([{ two: 2 }, { h: 2 }, { 'a"b': 2 }])
  expect(inFlight().own.holder, 'each start is somebody else').not.toBe(ours.own.holder)
})

test('a lane counts for the host that it has now, also what was sent to the one before', () => {
  const ours = inFlight()
  ours.begin([asked('moved', 'old'), asked('moved', 'old'), asked('other', 'old')])
  ours.begin([asked('moved', 'new')])
  expect(counted(ours)[1]).toEqual({ new: 3, old: 1 })
  for (const [host, madeRoom] of [
    ['old', true],
    ['old', false],
    ['new', false],
  ] as const) {
    if (madeRoom) ours.answered(asked('moved', host))
    ours.stored(asked('moved', host), madeRoom)
  }
  expect(counted(ours)).toEqual([{ other: 1 }, { old: 1 }, { 'a"b': 1 }])
})

test('no more than sixteen of a subscription have made room and are not stored', () => {
  const ours = inFlight()
  ours.begin(Array.from({ length: 20 }, () => asked('one')))
  const made = Array.from({ length: 20 }, () => ours.answered(asked('one')))
  expect(made.filter(Boolean)).toHaveLength(16)
  expect(counted(ours)[0]).toEqual({ one: 4 })
  ours.stored(asked('one'), true)
  expect(ours.answered(asked('one'))).toBe(true)
  for (const madeRoom of [...Array(16).fill(true), ...Array(3).fill(false)])
    ours.stored(asked('one'), madeRoom)
  expect(counted(ours)).toEqual([{}, {}, {}])
})

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())
  beforeEach(() => scene.empty())

  async function fill(...lanes: Parameters<typeof fillDue>[1][]): Promise<void> {
    for (const lane of lanes) await fillDue(scene.sql, lane)
    await followAll(scene.sql)
  }

  /** What is due, claimed by this process. */
  async function claim(by: InFlight, caps: Partial<typeof WIDE>) {
    const options = { limit: 64, leaseMs: hour, policyTtlMs: hour, caps: { ...WIDE, ...caps } }
    const { claimed } = await lookAtDue(scene.sql, { ...options, own: by.own })
    by.begin(claimed)
    await followAll(scene.sql)
    return claimed
  }

  const answer = (by: InFlight, claimed: readonly ClaimedDelivery[]) => {
    for (const delivery of claimed) by.answered(delivery)
  }

  test.each(['subscription', 'host', 'owner'] as const)(
    'under the cap of a %s, what this process has ended makes room at once, and for others when it is stored',
    async (cap) => {
      await fill({ name: 'a', count: 50 })
      const [ours, others] = [inFlight(), inFlight()]
      const first = await claim(ours, { [cap]: 8 })
      expect(first).toHaveLength(8)
      expect(await claim(ours, { [cap]: 8 })).toEqual([])
      answer(ours, first.slice(0, 3))
      expect(await claim(others, { [cap]: 10 })).toHaveLength(2)
      expect(await claim(ours, { [cap]: 10 }), 'five of ours, two of others').toHaveLength(3)
      expect(await claim(others, { [cap]: 13 })).toEqual([])
    },
  )

  test('of several lanes each counts by itself, and all of a host and of a user together', async () => {
    await fill(
      { name: 'a', count: 9, user: 'ann', targetUrl: 'http://one.example.org/a' },
      { name: 'b', count: 9, user: 'bob', targetUrl: 'http://one.example.org/b' },
      { name: 'c', count: 9, user: 'bob', targetUrl: 'http://two.example.org/' },
    )
    const ours = inFlight()
    const first = await claim(ours, { subscription: 2 })
    expect(first).toHaveLength(6)
    const { lanes, hosts, owners } = ours.own
    expect(Object.values(JSON.parse(lanes))).toEqual([2, 2, 2])
    expect(JSON.parse(hosts)).toEqual({ 'one.example.org': 4, 'two.example.org': 2 })
    expect(JSON.parse(owners)).toEqual({ ann: 2, bob: 4 })
    const next = await claim(ours, { host: 5, owner: 5 })
    expect(next.filter(({ host }) => host === 'one.example.org')).toHaveLength(1)
    expect(next.filter(({ owner }) => owner === 'bob').length).toBeLessThanOrEqual(1)
    answer(ours, [...first, ...next])
    expect(ours.own).toMatchObject({ lanes: '{}', hosts: '{}', owners: '{}' })
  })

  test('so it is for what is claimed as it is stored', async () => {
    await withLane(scene, 'now')
    const [ours, others] = [inFlight(), inFlight()]
    const record = async (by: InFlight) => {
      const matched = await storedInHand(scene, Array(6).fill('now'), YES)
      const caps = { ...WIDE, subscription: 4 }
      const room = { limit: 64, leaseMs: hour, policyTtlMs: hour, dispatching: true, caps }
      const { claimed } = await matchStore({ sql: scene.sql }).record(matched, {
        ...{ ...room, own: by.own },
      })
      by.begin(claimed)
      await scene.sql.query('UPDATE lane SET next_due = NULL')
      return claimed
    }
    const first = await record(ours)
    expect(first).toHaveLength(4)
    expect(first[0]?.host).toBe('example.org')
    expect(await record(ours)).toEqual([])
    answer(ours, first.slice(0, 1))
    expect(await record(others)).toEqual([])
    expect(await record(ours)).toHaveLength(1)
  })

  test('a lease says whose it is until its end is stored, and not when it was set aside', async () => {
    await fill({ name: 'a', count: 1 }, { name: 'b', count: 1 })
    const holders = () => scene.sql.query<{ holder: string | null }>('SELECT holder FROM delivery')
    const ours = inFlight()
    const claimed = await claim(ours, {})
    const { holder } = ours.own
    expect(await holders()).toEqual([{ holder }, { holder }])
    await scene.finish(claimed, REFUSED)
    expect(await holders()).toEqual([{ holder: null }, { holder: null }])
    await scene.sql.query('UPDATE eventmatch SET disabled = now()')
    await scene.sql.query('UPDATE delivery SET due = now()')
    await followAll(scene.sql)
    expect(await claim(ours, {})).toEqual([])
    expect(await holders()).toEqual([{ holder: null }, { holder: null }])
  })

  test('a lease of our own that has ended is claimed again, whoever held it', async () => {
    await fill({ name: 'a', count: 2 })
    const ours = inFlight()
    expect(await claim(ours, {})).toHaveLength(2)
    await scene.sql.query("UPDATE delivery SET due = now() - interval '1 second'")
    await followAll(scene.sql)
    expect(await claim(ours, {})).toMatchObject([{ claim: 2 }, { claim: 2 }])
    expect(Object.values(JSON.parse(ours.own.lanes)), 'each is on its way twice').toEqual([4])
  })
})
