/** The rows of subscriptions on both engines. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES, type MigratedDatabase, openMigrated } from '../../../../test/harness/index.ts'
import { PrismaClient } from '../database/generated/client.ts'
import { claimDeliveries, lookAtDue } from '../deliver/claim.ts'
import { followDeliveries } from '../deliver/lanes.ts'
import { matchStore } from '../match/match-store.ts'
import { SubscriptionExistsError, subscriptionStore, TooManySubscriptionsError } from './store.ts'
import { UnindexedLimitError } from './unindexed.ts'

const limits = { limit: 100, leaseMs: 60_000, policyTtlMs: 60_000 }

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let prisma: PrismaClient
  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
    prisma = new PrismaClient({ adapter: home.database.adapter })
  }, 300_000)
  afterAll(async () => {
    await prisma?.$disconnect()
    await home?.close()
  })

  const store = () => subscriptionStore({ prisma })
  const sql = () => home.database
  const row = (user = 'ann') => ({
    ...{ name: 'n', user, jsonpath: '$.data', targetUrl: 'http://example.org/' },
  })
  const revisionNow = async () =>
    (await sql().query<{ revision: number }>('SELECT revision FROM subscription_revision'))[0]
      ?.revision
  /** A due delivery of the subscription, which policy allowed. */
  const aDelivery = async (subscription: string, columns = "'pending', now()") => {
    const [delivery] = await sql().query<{ uuid: string }>(
      `WITH event AS (INSERT INTO eventlog (uuid, jsondata) VALUES (gen_random_uuid(), '{}') RETURNING uuid),
         answer AS (INSERT INTO policy_answer (event, owner, state, due, answered)
                    SELECT uuid, 'ann', 'allowed', NULL, now() FROM event)
       INSERT INTO delivery (event, subscription, owner, state, due)
       SELECT uuid, $1, 'ann', ${columns} FROM event RETURNING uuid`,
      [subscription],
    )
    await followDeliveries(sql(), [subscription])
    return delivery?.uuid ?? ''
  }
  const stateOf = async (uuid: string) =>
    (await prisma.delivery.findUnique({ where: { uuid } }))?.state

  test('rows of before the limit are counted, and stay when there are too many of them', async () => {
    const old = { ...row('gus'), jsonpath: '$' }
    const rows = [await store().create(old), await store().create(old), await store().create(old)]
    await store().create({ ...row('gus'), jsonpath: 'no expression' })
    const part = { text: '$', offset: 0 }
    const asked = { part, perUser: 2, inAll: 100 }
    const another = store().create({ ...old, indexed: false }, 100, asked)
    await expect(another).rejects.toThrow(UnindexedLimitError)
    expect(await store().ofUser('gus')).toMatchObject([
      ...rows.map(({ uuid }) => ({ uuid, indexed: false, disabled: null })),
      { jsonpath: 'no expression', indexed: true },
    ])
    const changed = { jsonpath: '$[?(not @.a)]', indexed: false }
    expect(await store().update(rows[0]?.uuid ?? '', changed, asked)).toMatchObject(changed)
    const site = { part, perUser: 100, inAll: 3 }
    const elsewhere = store().create({ ...row('ida'), jsonpath: '$', indexed: false }, 100, site)
    await expect(elsewhere).rejects.toThrow('the site has 3 such subscriptions of 3')
    for (const { uuid } of rows) await store().delete(uuid)
    await store().create({ ...row('ida'), jsonpath: '$', indexed: false }, 100, site)
  })

  test('every change takes a revision, and a new row its own', async () => {
    const before = (await revisionNow()) ?? 0
    const { uuid, revision } = await store().create(row())
    expect(Number(revision)).toBe(before + 1)
    await store().update(uuid, { name: 'x' })
    expect(await store().disable(uuid, 'why')).toBe(true)
    expect(await store().disable(uuid, 'again')).toBe(false)
    expect(await store().delete(uuid)).toBe(true)
    expect(await store().delete(uuid)).toBe(false)
    expect(await store().find(uuid)).toBeUndefined()
    expect(await store().update(uuid, { name: 'y' })).toBeUndefined()
    expect((await revisionNow()) ?? 0).toBeGreaterThanOrEqual(before + 4)
  })

  test('a uuid is taken once, also when its subscription is deleted', async () => {
    const { uuid } = await store().create(row())
    await expect(store().create({ ...row('bob'), uuid })).rejects.toThrow(SubscriptionExistsError)
    await store().delete(uuid)
    await expect(store().create({ ...row('bob'), uuid })).rejects.toThrow(SubscriptionExistsError)
  })

  test('many at once are never more than a user may have', async () => {
    const tries = Array.from({ length: 8 }, () => store().create(row('greedy'), 3))
    const results = await Promise.allSettled(tries)
    const refused = results.filter(({ status }) => status === 'rejected')
    expect(refused).toHaveLength(5)
    for (const one of refused)
      expect((one as PromiseRejectedResult).reason).toBeInstanceOf(TooManySubscriptionsError)
    expect(await store().ofUser('greedy')).toHaveLength(3)
  })

  test('enabling again begins anew; a change of what is enabled leaves its failures counted', async () => {
    const { uuid } = await store().create(row())
    const fail = () =>
      sql().query(
        'UPDATE eventmatch SET failing_since = now(), expression_failures = 4 WHERE uuid = $1',
        [uuid],
      )
    await fail()
    const same = await store().update(uuid, { disabled: null, error: null })
    expect(same).toMatchObject({ failures: 4, failingSince: expect.any(Date) })
    await store().disable(uuid, 'failed')
    const enabled = await store().update(uuid, { disabled: null, error: null })
    expect(enabled).toMatchObject({ failures: 0, failingSince: null, disabled: null, error: null })
    await fail()
    expect(await store().update(uuid, { jsonpath: '$.other' })).toMatchObject({ failures: 0 })
  })

  test('of the secrets of a day all sign, the newest first, and never more than five', async () => {
    const { uuid } = await store().create(row())
    await aDelivery(uuid)
    const secrets = ['a', 'b', 'c', 'd', 'e', 'f']
    for (const secret of secrets) await store().rotateSigning(uuid, secret)
    const signing = async () => {
      await sql().query(`UPDATE delivery SET due = now() WHERE subscription = $1`, [uuid])
      const claimed = await claimDeliveries(sql(), limits)
      return claimed.find(({ subscription }) => subscription === uuid)?.signing
    }
    expect(await signing()).toEqual(['f', 'e', 'd', 'c', 'b'])
    await sql().query(
      `UPDATE eventmatch SET signing = jsonb_set(signing, '{2,until}', to_jsonb(now())) WHERE uuid = $1`,
      [uuid],
    )
    expect(await signing()).toEqual(['f', 'e', 'c', 'b'])
    expect((await store().rotateSigning(uuid, 'g'))?.signing).toMatchObject([
      { secret: 'g', until: null },
      { secret: 'f', until: expect.any(String) },
      { secret: 'e' },
      { secret: 'c' },
    ])
    expect((await store().stopSigning(uuid))?.signing).toBeNull()
    expect(await signing()).toEqual([])
  })

  test('what is due of a disabled or deleted subscription is set aside, and counts as work done', async () => {
    const [paused, gone] = [await store().create(row()), await store().create(row())]
    const [held, cancelled] = [await aDelivery(paused.uuid), await aDelivery(gone.uuid)]
    await store().update(paused.uuid, { disabled: new Date() })
    await sql().query('UPDATE eventmatch SET deleted = now() WHERE uuid = $1', [gone.uuid])
    const { claimed, aside } = await lookAtDue(sql(), limits)
    expect(claimed).toEqual([])
    expect([...aside].sort()).toEqual(['cancelled', 'held'])
    expect(
      await prisma.delivery.findMany({ where: { uuid: { in: [held, cancelled] } } }),
    ).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ state: 'held', due: expect.any(Date), settled: null }),
        expect.objectContaining({
          state: 'cancelled',
          due: null,
          reason: 'the subscription was deleted',
        }),
      ]),
    )
  })

  test('a delivery that waits without its question gets one, and one that policy refused its reason', async () => {
    const { uuid } = await store().create(row())
    const [unasked, refused] = [await aDelivery(uuid), await aDelivery(uuid)]
    const eventOf = async (delivery: string) =>
      (await prisma.delivery.findUnique({ where: { uuid: delivery } }))?.event ?? ''
    await sql().query('DELETE FROM policy_answer WHERE event = $1', [await eventOf(unasked)])
    await sql().query(
      `UPDATE policy_answer SET state = 'denied', status_code = 412, body = 'no' WHERE event = $1`,
      [await eventOf(refused)],
    )
    expect([...(await lookAtDue(sql(), limits)).aside].sort()).toEqual(['denied', 'pending'])
    expect(
      await prisma.policyAnswer.findMany({ where: { event: await eventOf(unasked) } }),
    ).toMatchObject([{ state: 'asking', owner: 'ann' }])
    expect((await prisma.delivery.findUnique({ where: { uuid: refused } }))?.reason).toBe(
      'policy answered 412: no',
    )
  })

  test('enabling releases what is held, at once and all of it', async () => {
    const { uuid } = await store().create(row())
    const held = await Promise.all(
      Array.from({ length: 3 }, () => aDelivery(uuid, "'held', now() + interval '1 hour'")),
    )
    await store().disable(uuid, 'why')
    await store().update(uuid, { disabled: null, error: null })
    expect(await Promise.all(held.map(stateOf))).toEqual(['pending', 'pending', 'pending'])
    expect((await claimDeliveries(sql(), limits)).map((one) => one.uuid).sort()).toEqual(
      held.sort(),
    )
  })

  test('however much is held, all of it is released, and all that waits is cancelled with its subscription', async () => {
    const { uuid } = await store().create(row('ida'))
    await store().disable(uuid, 'why')
    await sql().query(
      `WITH event AS (
         INSERT INTO eventlog (uuid, jsondata)
         SELECT gen_random_uuid(), '{}' FROM generate_series(1, 5003) RETURNING uuid)
       INSERT INTO delivery (event, subscription, owner, state, due)
       SELECT uuid, $1, 'ida', 'held', now() + interval '1 hour' FROM event`,
      [uuid],
    )
    const states = () =>
      sql().query(
        'SELECT state, due <= now() AS due, count(*) FROM delivery WHERE subscription = $1 GROUP BY 1, 2',
        [uuid],
      )
    await store().update(uuid, { disabled: null })
    expect(await states()).toEqual([{ state: 'pending', due: true, count: 5003 }])
    await store().delete(uuid)
    expect(await states()).toEqual([{ state: 'cancelled', due: null, count: 5003 }])
  })

  test('events that were claimed and not begun are handed back, and failures are counted in a row', async () => {
    const [event] = await sql().query<{ uuid: string }>(
      `WITH event AS (INSERT INTO eventlog (uuid, jsondata) VALUES (gen_random_uuid(), '{}') RETURNING uuid)
       INSERT INTO event_state (event) SELECT uuid FROM event RETURNING event AS uuid`,
    )
    const matches = matchStore({ sql: sql() })
    const claimed = await matches.claimTogether(100)
    await matches.handBack(claimed)
    const again = (await matches.claimTogether(100)).find(({ uuid }) => uuid === event?.uuid)
    expect(again?.begun).toBe(1)

    const { uuid } = await store().create(row())
    const streak = { subscription: uuid, failed: 0, lastReason: undefined }
    expect(await matches.countFailures({ ...streak, run: 3, recovered: false })).toBe(3)
    expect(await matches.countFailures({ ...streak, run: 2, recovered: false })).toBe(5)
    expect(await matches.countFailures({ ...streak, run: 1, recovered: true })).toBe(1)
    await store().disable(uuid, 'why')
    expect(await matches.countFailures({ ...streak, run: 1, recovered: false })).toBe(0)
  })
})
