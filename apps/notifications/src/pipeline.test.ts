/** The rows of the pipeline on both engines: accept, match, authorize, deliver, by their stores alone. */
import { Event } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES, type MigratedDatabase, openMigrated } from '../../../test/harness/index.ts'
import { eventStore } from './accept/event-store.ts'
import { policyStore, type Question } from './authorize/policy-store.ts'
import { type Answered, recordAnswers } from './authorize/record-answers.ts'
import { retryEvents } from './cli/retry-events.ts'
import { PrismaClient } from './database/generated/client.ts'
import { claimDeliveries } from './deliver/claim.ts'
import { type Outcome, settle } from './deliver/delivery.ts'
import { recordResults } from './deliver/record.ts'
import { DEFAULT_RETRY } from './deliver/retry.ts'
import { liveSubscriptions } from './match/live-subscriptions.ts'
import { matchStore } from './match/match-store.ts'
import { subscriptionStore } from './subscriptions/store.ts'

const minute = 60_000
const yes = { kind: 'allowed', status: 200, body: '' } as const
const accepted: Outcome = { kind: 'accepted', status: 200, body: 'ok' }
const caps = { subscription: 100, host: 100, owner: 100 }
const limits = { limit: 100, leaseMs: minute, policyTtlMs: minute, caps }

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let prisma: PrismaClient
  let number = 0

  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
    prisma = new PrismaClient({ adapter: home.database.adapter })
  }, 300_000)
  afterAll(async () => {
    await prisma?.$disconnect()
    await home?.close()
  })

  const sql = () => home.database
  const anEvent = (type = 'test') => {
    number += 1
    const text = `{"cloudEventsVersion":"0.1","eventType":"${type}","source":"/s","eventID":"e${number}","data":[1]}`
    return Event.parse(text)
  }
  const accept = async (event: Event) =>
    (await eventStore({ sql: sql() }).insert([event]))[0]?.uuid ?? ''
  const subscribe = (type: string, user = 'ann') =>
    subscriptionStore({ prisma }).create({
      name: 'n',
      user,
      jsonpath: `$[?(@.eventType = "${type}")]`,
      targetUrl: 'http://example.org/',
    })
  const matchAll = async () => {
    const store = matchStore({ sql: sql() })
    const claimed = await store.claimTogether(100)
    const live = liveSubscriptions({ sql: sql() })
    await live.refresh()
    const matched = claimed.map((event) => ({
      event,
      ...live.match(Event.parse(event.jsondata)),
      unreadable: null,
    }))
    return store.record(matched)
  }
  const allowAll = async () => {
    const store = policyStore({ sql: sql() })
    for (const question of await store.claim(100, minute)) await store.record(question, yes, minute)
  }
  const deliverable = async (type: string) => {
    const subscription = await subscribe(type)
    const event = await accept(anEvent(type))
    await matchAll()
    await allowAll()
    return { subscription: subscription.uuid, event }
  }
  const claimFor = async (event: string) =>
    (await claimDeliveries(sql(), limits)).find((delivery) => delivery.event === event)
  const stateOf = async (event: string) =>
    (await prisma.delivery.findMany({ where: { event }, include: { attempts: true } }))[0]
  const finish = (delivery: Awaited<ReturnType<typeof claimFor>>, outcome: Outcome) => {
    if (delivery === undefined) throw new Error('nothing was claimed')
    const settlement = settle(delivery, outcome, DEFAULT_RETRY, 0.5)
    return recordResults(sql(), [{ delivery, outcome, settlement, beganAgoMs: 5, durationMs: 5 }])
  }

  test('the same event twice is one row, in one batch and in two', async () => {
    const event = anEvent()
    const store = eventStore({ sql: sql() })
    const [first, second] = await store.insert([event, event])
    const [third] = await store.insert([event])
    expect([first?.repeated, second?.repeated, third?.repeated]).toEqual([false, true, true])
    expect(new Set([first?.uuid, second?.uuid, third?.uuid]).size).toBe(1)
  })

  test('an event goes from accepted to delivered, with its attempt', async () => {
    const { event } = await deliverable('whole-way')
    const delivery = await claimFor(event)
    expect([...(await finish(delivery, accepted))]).toEqual([delivery?.uuid])
    const row = await stateOf(event)
    expect(row).toMatchObject({ state: 'delivered', attempt: 1, due: null })
    expect(row?.attempts).toMatchObject([
      { number: 1, outcome: 'accepted', statusCode: 200, body: 'ok' },
    ])
  })

  test('an event that nobody wants is matched, and says that nobody did', async () => {
    const event = await accept(anEvent('nobody'))
    await matchAll()
    expect(await prisma.eventState.findUnique({ where: { event } })).toMatchObject({
      state: 'matched',
      matchCount: 0,
    })
  })

  test('nothing is delivered before policy has said yes, and a no settles it', async () => {
    await subscribe('denied', 'bob')
    const event = await accept(anEvent('denied'))
    await matchAll()
    expect(await claimFor(event)).toBeUndefined()
    const store = policyStore({ sql: sql() })
    const questions = await store.claim(100, minute)
    const question = questions.find((asked) => asked.event === event)
    expect(question).toMatchObject({ owner: 'bob', asked: 1 })
    if (question) await store.record(question, { kind: 'denied', status: 412, body: 'no' }, minute)
    expect(await stateOf(event)).toMatchObject({
      state: 'denied',
      reason: 'policy answered 412: no',
    })
  })

  test('answers that are stored together have each its own effect; one whose claim was lost has none', async () => {
    const owners = ['yes', 'no', 'silence', 'late'].map((word) => `together-${word}`)
    for (const owner of owners) await subscribe('together', owner)
    const event = await accept(anEvent('together'))
    await matchAll()
    const asked = await policyStore({ sql: sql() }).claim(100, minute)
    const answers = owners.map((owner): Answered => {
      const question = asked.find((one) => one.event === event && one.owner === owner) as Question
      const claim = owner === 'together-late' ? question.claim - 1 : question.claim
      return { question: { ...question, claim }, answer: yes, askAgainMs: 30 * minute }
    })
    const [first, second, third, last] = answers as [Answered, Answered, Answered, Answered]
    const recorded = await recordAnswers(sql(), [
      { ...third, answer: { kind: 'unanswered', status: 503, reason: 'away' } },
      { ...second, answer: { kind: 'denied', status: 412, body: 'no' } },
      last,
      first,
    ])
    expect(recorded).toMatchObject([
      { denied: 0, released: [], firstAfterMs: undefined },
      { denied: 1, released: [], firstAfterMs: expect.any(Number) },
      undefined,
      { denied: 0, released: [expect.any(String)], firstAfterMs: expect.any(Number) },
    ])
    const states = await sql().query(
      `SELECT d.owner, d.state, d.due <= now() AS released, p.state AS policy, p.status_code AS status, p.error
       FROM delivery d JOIN policy_answer p USING (event, owner) WHERE event = $1 ORDER BY owner`,
      [event],
    )
    const asking = { state: 'pending', released: false, policy: 'asking' }
    expect(states).toEqual([
      { owner: 'together-late', ...asking, status: null, error: null },
      {
        owner: 'together-no',
        state: 'denied',
        released: null,
        policy: 'denied',
        status: 412,
        error: null,
      },
      { owner: 'together-silence', ...asking, status: 503, error: 'away' },
      {
        owner: 'together-yes',
        state: 'pending',
        released: true,
        policy: 'allowed',
        status: 200,
        error: null,
      },
    ])
  })

  test('answers that could be stored only in part are stored again, and each has its effect', async () => {
    const owners = ['half-yes', 'half-silence']
    for (const owner of owners) await subscribe('half', owner)
    const event = await accept(anEvent('half'))
    await matchAll()
    const asked = await policyStore({ sql: sql() }).claim(100, minute)
    const answers = asked
      .filter((question) => question.event === event)
      .map((question): Answered => {
        const silence = { kind: 'unanswered', status: 503, reason: 'away' } as const
        const answer = question.owner === 'half-yes' ? yes : silence
        return { question, answer, askAgainMs: 30 * minute }
      })
    let statements = 0
    const breaking: Sql = {
      async query(text, values, planned) {
        statements += 1
        if (statements === 2) throw new Error('the connection was lost')
        return sql().query(text, values, planned)
      },
    }
    await expect(recordAnswers(breaking, answers)).rejects.toThrow('the connection was lost')
    const released = (await recordAnswers(breaking, answers)).map((one) => one?.released.length)
    expect(released.sort()).toEqual([0, 1])
  })

  test('one question is asked for two subscriptions of one user', async () => {
    await subscribe('pair', 'cleo')
    await subscribe('pair', 'cleo')
    const event = await accept(anEvent('pair'))
    await matchAll()
    const questions = await policyStore({ sql: sql() }).claim(100, minute)
    expect(questions.filter((asked) => asked.event === event)).toHaveLength(1)
  })

  test('a subscription that comes to an event which is matched again need not wait: Policy has answered', async () => {
    const { event } = await deliverable('again')
    const late = await subscribe('again')
    await retryEvents(sql(), [event])
    await matchAll()
    const claimed = await claimDeliveries(sql(), limits)
    expect(claimed.map(({ subscription }) => subscription)).toContain(late.uuid)
  })

  test('a yes that has grown old is asked for again before anything is sent', async () => {
    const { event } = await deliverable('old-yes')
    expect(await claimDeliveries(sql(), { ...limits, policyTtlMs: 0 })).toEqual([])
    const questions = await policyStore({ sql: sql() }).claim(100, minute)
    expect(questions.map((asked) => asked.event)).toContain(event)
    const store = policyStore({ sql: sql() })
    for (const question of questions) await store.record(question, yes, minute)
    expect((await claimFor(event))?.event).toBe(event)
  })

  test('a claimed delivery is claimed by nobody else until its lease ends', async () => {
    const { event } = await deliverable('leased')
    const first = await claimFor(event)
    expect(await claimFor(event)).toBeUndefined()
    await sql().query('UPDATE delivery SET due = now() WHERE event = $1', [event]) // the lease's end
    const second = await claimFor(event)
    expect(second?.claim).toBeGreaterThan(first?.claim ?? 0)
    expect([...(await finish(first, accepted))], 'the late result is refused').toEqual([])
    expect(await stateOf(event)).toMatchObject({ state: 'delivering', attempt: 0 })
    expect([...(await finish(second, accepted))]).toEqual([second?.uuid])
  })

  test('a disabled subscription holds its deliveries; enabling sends them', async () => {
    const { subscription, event } = await deliverable('held')
    const store = subscriptionStore({ prisma })
    await store.update(subscription, { disabled: new Date() })
    expect(await claimFor(event)).toBeUndefined()
    expect(await stateOf(event)).toMatchObject({
      state: 'held',
      reason: 'the subscription is disabled',
    })
    const later = await accept(anEvent('held'))
    await matchAll()
    expect(await stateOf(later)).toMatchObject({ state: 'held' })
    await store.update(subscription, { disabled: null, error: null })
    expect((await claimFor(event))?.event).toBe(event)
  })

  test('what is found to be held is looked at again within a minute, in case it was enabled meanwhile, and then rarely', async () => {
    const { subscription, event } = await deliverable('held soon')
    await subscriptionStore({ prisma }).update(subscription, { disabled: new Date() })
    const minutesToLook = async (which: string) => {
      const [row] = await sql().query<{ m: number }>(
        'SELECT extract(epoch FROM due - now())::float8 / 60 AS m FROM delivery WHERE event = $1',
        [which],
      )
      return row?.m ?? Number.NaN
    }
    const later = await accept(anEvent('held soon'))
    await matchAll()
    expect(await minutesToLook(later), 'held by the match').toBeLessThanOrEqual(1)
    await claimFor(event)
    expect(await minutesToLook(event), 'held by the claim').toBeLessThanOrEqual(1)
    await sql().query('UPDATE delivery SET due = now() WHERE event = $1', [event])
    await claimFor(event)
    expect(await minutesToLook(event), 'still held').toBeGreaterThan(20)
  })

  test('deleting a subscription cancels what waits', async () => {
    const { subscription, event } = await deliverable('deleted')
    await subscriptionStore({ prisma }).delete(subscription)
    expect(await stateOf(event)).toMatchObject({
      state: 'cancelled',
      reason: 'the subscription was deleted',
    })
  })

  test('a subscription that has only failed for long enough is disabled', async () => {
    const { subscription, event } = await deliverable('failing')
    await finish(await claimFor(event), { kind: 'unreachable', reason: 'refused' })
    const store = subscriptionStore({ prisma })
    expect(await store.disable(subscription, 'too long', 5 * minute)).toBe(false)
    expect(await store.disable(subscription, 'long enough', 0)).toBe(true)
    expect(await store.find(subscription)).toMatchObject({ error: 'long enough' })
  })

  test('an event whose matching is begun again and again is put aside at last', async () => {
    const event = await accept(anEvent('stubborn'))
    const store = matchStore({ sql: sql() })
    const again = () => sql().query('UPDATE event_state SET due = now() WHERE event = $1', [event])
    for (let begun = 1; begun <= 3; begun += 1) {
      expect((await store.claimTogether(100)).map((claimed) => claimed.begun)).toEqual([begun])
      await again()
    }
    expect(await store.claimTogether(100)).toEqual([])
    for (let begun = 4; begun <= 8; begun += 1) {
      expect((await store.claimAlone()).map((claimed) => claimed.begun)).toEqual([begun])
      await again()
    }
    expect(await store.claimAlone()).toEqual([])
    expect(await store.giveUp()).toEqual([event])
  })

  test('a change of a subscription is read once, by its revision', async () => {
    const live = liveSubscriptions({ sql: sql() })
    await live.refresh()
    const before = live.size
    const { uuid } = await subscribe('fresh')
    await live.refresh()
    expect(live.size).toBe(before + 1)
    const { matches } = live.match(anEvent('fresh'))
    expect(matches.map((match) => match.subscription)).toEqual([uuid])
    await subscriptionStore({ prisma }).delete(uuid)
    await live.refresh()
    expect(live.size).toBe(before)
  })

  test('an expression that cannot be evaluated is that subscription’s failure alone', async () => {
    const { uuid } = await subscribe('mixed')
    const bad = await subscribe('mixed')
    await sql().query(`UPDATE eventmatch SET jsonpath = '$[[' WHERE uuid = $1`, [bad.uuid])
    const event = await accept(anEvent('mixed'))
    await matchAll()
    const rows = await prisma.delivery.findMany({ where: { event } })
    const states = new Map(rows.map((row) => [row.subscription, row.state]))
    expect(states.get(uuid)).toBe('pending')
    expect(states.get(bad.uuid)).toBe('failed')
  })

  test('several workers at once claim each delivery once', async () => {
    await subscribe('shared')
    const store = eventStore({ sql: sql() })
    await store.insert(Array.from({ length: 40 }, () => anEvent('shared')))
    await matchAll()
    await allowAll()
    const workers = [home.database, await home.another(), await home.another()]
    const claims = await Promise.all(
      workers.flatMap((worker) => [
        claimDeliveries(worker, limits),
        claimDeliveries(worker, limits),
      ]),
    )
    const uuids = claims.flat().map((delivery) => delivery.uuid)
    expect(new Set(uuids).size).toBe(uuids.length)
    expect(uuids.length).toBeGreaterThanOrEqual(40)
  })
})
