/** Deliveries that are claimed by the statement that stores them: which, how many, and what becomes of the others. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { matchedInHand, storedInHand, withLane } from '../../../../test/harness/in-hand.ts'
import { ENGINES } from '../../../../test/harness/index.ts'
import { ACCEPTED, NO, openScene, type Scene, YES } from '../../../../test/harness/scene.ts'
import type { PolicyAnswer } from '../authorize/policy-client.ts'
import { policyStore } from '../authorize/policy-store.ts'
import { retryEvents } from '../cli/retry-events.ts'
import { matchStore } from '../match/match-store.ts'
import type { MatchedEvent } from '../match/record-matches.ts'
import type { Room } from './at-once.ts'
import { lookAtDue } from './claim.ts'
import { inFlight } from './in-flight.ts'
import { followDeliveries } from './lanes.ts'

const hour = 3_600_000
const BAD: PolicyAnswer = { kind: 'unanswered', status: 502, reason: 'policy answered 502' }
const ofType = (type: string, count: number) => Array.from({ length: count }, () => type)
const ROOM: Room = {
  ...{ limit: 64, leaseMs: hour, policyTtlMs: hour, dispatching: true, own: inFlight().own },
  caps: { subscription: 8, host: 32, owner: 32 },
}
const capped = (caps: Partial<Room['caps']>): Room => ({
  ...{ ...ROOM, caps: { subscription: 100, host: 100, owner: 100, ...caps } },
})

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())
  beforeEach(() => scene.empty())

  const store = () => matchStore({ sql: scene.sql })
  /** By a process that has claimed nothing before. */
  const record = (matched: readonly MatchedEvent[], room?: Room) =>
    store().record(matched, room && { ...room, own: inFlight().own })

  const subscribe = (type: string, user?: string, row?: object) => withLane(scene, type, user, row)
  const inHand = (types: readonly string[], answer: PolicyAnswer = YES) =>
    storedInHand(scene, types, answer)

  const deliveries = () =>
    scene.sql.query<{ subscription: string; state: string; claim: number; reason: string | null }>(
      `SELECT subscription, state, claim, attempt, reason, due <= now() AS is_due, due > now() + interval '30 minutes' AS is_leased,
         settled IS NOT NULL AS is_settled FROM delivery ORDER BY state, subscription`,
    )
  const look = () => lookAtDue(scene.sql, ROOM)
  const WAITS = { state: 'pending', claim: 0, attempt: 0, is_due: true, is_settled: false }

  /** A claim finds exactly these, as soon as their lanes were told. */
  async function goOut(released: readonly string[], count: number) {
    await followDeliveries(scene.sql, released)
    const { claimed } = await look()
    expect(claimed).toHaveLength(count)
    return claimed
  }

  test('with a yes and room a delivery is claimed as it is stored, and its result counts', async () => {
    const subscription = await subscribe('yes')
    const [one] = await inHand(['yes'])
    const { claimed, ages, released, asking, denied } = await record(one ? [one] : [], ROOM)
    expect([...ages.keys()]).toEqual([one?.event.uuid])
    expect({ released, asking, denied }).toEqual({ released: [], asking: false, denied: 0 })
    expect(await deliveries()).toMatchObject([
      { subscription, state: 'delivering', claim: 1, attempt: 0, is_leased: true },
    ])
    expect((await look()).claimed).toEqual([])
    await scene.finish(claimed, ACCEPTED)
    expect(await deliveries()).toMatchObject([{ state: 'delivered', attempt: 1, is_settled: true }])
  })

  test('it is all that a claim of due deliveries would have made of it', async () => {
    await subscribe('same', 'ann', {
      ...{ targetUrl: 'http://same.example.org/p', extensions: '{"a": 1}', version: 'v1.0' },
      ...{ jsonpath: '$[?(@.type = "same")]', retry: { maxAttempts: 3 } },
    })
    await scene.sql.query(
      `UPDATE eventmatch SET signing = '[{"secret": "old", "until": "2000-01-01T00:00:00Z"}, {"secret": "new"}]'`,
    )
    const first = await inHand(['same'])
    const [atOnce] = (await record(first, ROOM)).claimed
    await scene.finish(atOnce ? [atOnce] : [], ACCEPTED)
    const second = await inHand(['same'])
    const { released } = await record(second)
    const [due] = await goOut(released, 1)
    const { kind, state, lateMs, ...wanted } = due as typeof due & { kind: string; state: string }
    expect({ kind, state, late: lateMs >= 0 }).toEqual({
      ...{ kind: 'delivery', state: 'delivering', late: true },
    })
    expect(wanted.signing).toEqual(['new'])
    const its = ({ event: { uuid: event, jsondata, digest, trace } }: MatchedEvent) => ({
      ...{ event, jsondata, digest, trace },
    })
    expect(wanted).toMatchObject(second[0] ? its(second[0]) : {})
    expect(atOnce).toMatchObject({
      ...wanted,
      ...(first[0] ? its(first[0]) : {}),
      ...{ uuid: expect.any(String), lateMs: 0 },
    })
  })

  test('a cap may be as large as its setting, for who wants none', async () => {
    await subscribe('no cap')
    const none = 2 ** 31 - 1
    const room = capped({ subscription: none, host: none, owner: none })
    const { claimed } = await record(await inHand(['no cap']), room)
    expect(claimed).toHaveLength(1)
  })

  test('without room it waits, due at once', async () => {
    const subscription = await subscribe('no room')
    const { claimed, released } = await record(await inHand(['no room']))
    expect({ claimed, released }).toEqual({ claimed: [], released: [subscription] })
    expect(await deliveries()).toMatchObject([WAITS])
    await goOut(released, 1)
  })

  test('a no settles it with the reason', async () => {
    await subscribe('no')
    const { claimed, denied, asking, released } = await record(await inHand(['no'], NO), ROOM)
    expect({ claimed, denied, asking, released }).toEqual({
      ...{ claimed: [], denied: 1, asking: false, released: [] },
    })
    expect(await deliveries()).toMatchObject([
      { state: 'denied', reason: 'policy answered 412: no', is_due: null, is_settled: true },
    ])
  })

  test('an error of Policy leaves a question that is due later, and says why; no answer one that is due now', async () => {
    await subscribe('asked')
    const questions = () =>
      scene.sql.query(
        `SELECT state, status_code, error, asked, due <= now() AS is_due FROM policy_answer ORDER BY asked`,
      )
    expect(await record(await inHand(['asked'], BAD), ROOM)).toMatchObject({
      ...{ claimed: [], asking: true, released: [] },
    })
    const later = { status_code: 502, error: 'policy answered 502', asked: 1, is_due: false }
    expect(await questions()).toEqual([{ state: 'asking', ...later }])
    expect(await policyStore({ sql: scene.sql }).claim(10, hour)).toEqual([])
    await record(await storedInHand(scene, ['asked'], undefined), ROOM)
    const now = { status_code: null, error: null, asked: 0, is_due: true }
    expect(await questions()).toEqual([
      { state: 'asking', ...now },
      { state: 'asking', ...later },
    ])
    const parked = { state: 'pending', claim: 0, is_due: false }
    expect(await deliveries()).toMatchObject([parked, parked])
    await scene.answer(YES)
    expect((await deliveries()).map(({ state }) => state)).toEqual(['pending', 'pending'])
    await goOut([(await deliveries())[0]?.subscription ?? ''], 1)
  })

  test('no more are claimed than the subscription’s cap has places, its own or everybody’s', async () => {
    const [usual, own] = [
      await subscribe('usual'),
      await subscribe('own', 'bob', { maxConcurrency: 2 }),
    ]
    const all = await inHand([...ofType('usual', 10), ...ofType('own', 5)])
    const first = await record(all, ROOM)
    const count = (subscription: string) =>
      first.claimed.filter((one) => one.subscription === subscription).length
    expect([count(usual), count(own)]).toEqual([8, 2])
    expect([...first.released].sort()).toEqual([usual, own].sort())
    const next = await record(await inHand(['usual', 'own']), ROOM)
    expect(next.claimed, 'what is in flight counts').toEqual([])
    await scene.finish(first.claimed, ACCEPTED)
    await goOut(first.released, 5)
  })

  test('of a host’s and of a user’s places a quarter is left to what is due, and no slot is used twice', async () => {
    const targetUrl = 'http://one.example.org/'
    await subscribe('host', 'ann', { targetUrl })
    await subscribe('host', 'bob', { targetUrl: `${targetUrl}b` })
    const host = await record(await inHand(ofType('host', 5)), capped({ host: 8 }))
    expect(host.claimed).toHaveLength(6)
    expect(new Set(host.claimed.map(({ owner }) => owner)).size, 'each in turn').toBe(2)
    await subscribe('owner', 'cid', { targetUrl: 'http://two.example.org/' })
    await subscribe('owner', 'cid', { targetUrl: 'http://three.example.org/' })
    const owner = await record(await inHand(ofType('owner', 5)), capped({ owner: 8 }))
    expect(owner.claimed).toHaveLength(6)
    await subscribe('slots', 'dora', { targetUrl: 'http://four.example.org/' })
    const slots = await record(await inHand(ofType('slots', 5)), { ...capped({}), limit: 3 })
    expect(slots.claimed).toHaveLength(3)
  })

  test.each([
    ['half of its places are used when something is due', 'next_due = now()', 8, 4],
    ['none of one place when something is due', 'next_due = now()', 1, 0],
    ['the one place is used when nothing is due', 'next_due = NULL', 1, 1],
    ['all are used when something is due later', "next_due = now() + interval '1 hour'", 8, 5],
    ['none while its target fails', 'ramp = 1', 8, 0],
    ['none while its target is slowly tried again', 'ramp = 4', 8, 0],
  ])('of a lane %s', async (_, lane, cap, count) => {
    await subscribe('lane')
    await scene.sql.query(`UPDATE lane SET ${lane}`)
    const all = await inHand(ofType('lane', 5))
    const { claimed, ages } = await record(all, capped({ subscription: cap }))
    expect(claimed).toHaveLength(count)
    expect(ages.size).toBe(5)
    expect((await deliveries()).filter(({ state }) => state === 'pending')).toEqual(
      Array.from({ length: 5 - count }, () => expect.objectContaining(WAITS)),
    )
  })

  test('one that has no lane yet waits, and gets one', async () => {
    const { uuid } = await scene.subscribe('no lane', 'ann')
    const { claimed, released } = await record(await inHand(['no lane']), ROOM)
    expect({ claimed, released }).toEqual({ claimed: [], released: [uuid] })
    await goOut(released, 1)
  })

  test('a dispatch goes out at once when there is a broker; when it is away it waits', async () => {
    await subscribe('dispatch', 'ann', { targetUrl: 'dispatch://there' })
    const away = await record(await inHand(['dispatch']), { ...ROOM, dispatching: false })
    expect(away.claimed).toEqual([])
    expect(await deliveries()).toMatchObject([WAITS])
    const there = await record(await inHand(['dispatch']), ROOM)
    expect(there.claimed).toMatchObject([{ targetUrl: 'dispatch://there' }])
  })

  test.each([
    ['disabled', 'held', 'the subscription is disabled'],
    ['deleted', 'cancelled', 'the subscription was deleted'],
  ])('what was %s since it was matched is sent nothing', async (column, state, reason) => {
    const subscription = await subscribe('since')
    const all = await inHand(['since'])
    await scene.sql.query(`UPDATE eventmatch SET ${column} = now()`)
    const { claimed } = await record(all, ROOM)
    expect(claimed).toEqual([])
    expect(await deliveries()).toMatchObject([WAITS])
    await followDeliveries(scene.sql, [subscription])
    expect(await look()).toMatchObject({ claimed: [], aside: [state] })
    expect(await deliveries()).toMatchObject([{ state, reason }])
  })

  test('stored again because the answer was lost, nothing is there twice, and what was claimed goes out after its lease', async () => {
    const subscription = await subscribe('twice')
    const all = await inHand(['twice', 'twice'])
    expect((await record(all, ROOM)).claimed).toHaveLength(2)
    const again = await record(all, ROOM)
    expect({ ...again, ages: again.ages.size }).toMatchObject({
      ...{ ages: 0, claimed: [], denied: 0, released: [] },
    })
    expect(await deliveries()).toMatchObject([{ state: 'delivering' }, { state: 'delivering' }])
    expect(await look()).toMatchObject({ claimed: [], follow: [] })
    await scene.sql.query("UPDATE delivery SET due = now() - interval '1 second'")
    const { follow } = await look()
    expect(follow).toEqual([subscription])
    expect(await goOut(follow, 2)).toMatchObject([
      { claim: 2, attempt: 0 },
      { claim: 2, attempt: 0 },
    ])
  })

  test('an event that is matched again sends at once what is new, and the rest as a replay', async () => {
    const old = await subscribe('again')
    const all = await inHand(['again'])
    await scene.finish((await record(all, ROOM)).claimed, ACCEPTED)
    const event = all[0]?.event.uuid ?? ''
    const rematched = async (answer: PolicyAnswer | undefined) => {
      await retryEvents(scene.sql, [event])
      const claimed = await store().claimTogether(10)
      expect(claimed.map(({ uuid }) => uuid)).toEqual([event])
      return matchedInHand(scene, claimed, answer)
    }

    const young = await subscribe('again')
    const sent = await record(await rematched(YES), ROOM)
    expect(sent.claimed).toMatchObject([{ subscription: young, claim: 1, replay: 0 }])
    expect(await goOut([old], 1)).toMatchObject([{ subscription: old, replay: 1 }])
    await scene.sql.query("UPDATE delivery SET state = 'delivered', due = NULL, settled = now()")

    const youngest = await subscribe('again')
    const unasked = await record(await rematched(undefined), ROOM)
    expect(unasked.claimed, 'nobody has asked for this one').toEqual([])
    expect(unasked.released, 'the old yes holds').toContain(youngest)
    await goOut([old, young, youngest], 3)
    expect(await deliveries()).toHaveLength(3)
  })
})
