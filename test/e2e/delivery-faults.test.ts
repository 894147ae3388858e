/** One subscription's error is that subscription's alone, and what has only failed for long is disabled. On PostgreSQL. */

import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { verify } from '../../apps/notifications/src/deliver/signature.ts'
import { createTestDatabase } from '../harness/index.ts'
import { QUICK, type Site, startSite, until } from '../pacifica/site.ts'

let drop = async () => {}
let url = ''
let sql: pg.Client
const open: Site[] = []

beforeAll(async () => {
  const database = await createTestDatabase()
  url = database.url
  drop = database.drop
  sql = new pg.Client({ connectionString: url })
  await sql.connect()
}, 300_000)
afterEach(async () => {
  await Promise.all(open.splice(0).map((site) => site.close()))
  await sql.query('DELETE FROM eventlog; UPDATE eventmatch SET deleted = now()')
})
afterAll(async () => {
  await sql?.end()
  await drop()
})

const start = async (env: Record<string, string> = {}): Promise<Site> => {
  const site = await startSite({ DATABASE_URL: url, ...env })
  open.push(site)
  return site
}
/** A column that the API would refuse, as an old table may hold it. */
const spoil = async (uuid: string, column: string, value: string) => {
  await sql.query('UPDATE subscription_revision SET revision = revision + 1')
  await sql.query(
    `UPDATE eventmatch SET ${column} = $2, revision = (SELECT revision FROM subscription_revision) WHERE uuid = $1`,
    [uuid, value],
  )
}
/** Matches nothing, and no index can tell: it is evaluated on every event. */
const HEAVY = '$..[?(@..* contains @..*)]..[?(not @ = @)]'

test('a bad expression, an unreadable secret and a bad URL among many cost the others nothing', async () => {
  const site = await start()
  const many = []
  for (let number = 0; number < 20; number += 1)
    many.push(await site.subscribe('many', `/many/${number}`))
  const auth = { type: 'basic', basic: { username: 'u', password: 'p' } }
  const broken = await site.subscribe('many', '/broken')
  const heavy = await site.subscribe('many', '/heavy')
  const secret = await site.subscribe('many', '/secret', { auth })
  const noAuth = await site.subscribe('many', '/no-auth')
  const version = await site.subscribe('many', '/version')
  const badUrl = await site.subscribe('many', '/url', { retry: { max_attempts: 1 } })
  await spoil(broken, 'jsonpath', '$[?(')
  await spoil(heavy, 'jsonpath', HEAVY)
  await spoil(secret, 'auth', JSON.stringify(auth).replace('"p"', '"sealed:v1:00000000:AAAA"'))
  await spoil(noAuth, 'auth', 'not JSON')
  await spoil(version, 'version', 'v7')
  await spoil(badUrl, 'target_url', 'nonsense')
  await site.post('many', { data: nested(60) })

  for (const [number, uuid] of many.entries()) {
    await site.settled(uuid, 'delivered')
    expect(site.receiver.sent(`/many/${number}`)).toHaveLength(1)
  }
  const reasons = await Promise.all(
    [broken, heavy, secret, noAuth, version].map(
      async (uuid) => (await site.settled(uuid, 'failed')).reason,
    ),
  )
  expect(reasons).toEqual([
    expect.stringMatching(/^the expression could not be evaluated: the expression ends too early/),
    expect.stringMatching(/^the expression could not be evaluated: .*too much work/),
    expect.stringMatching(/^the secret auth.basic.password of .* was sealed with key 00000000/),
    expect.stringMatching(/^the auth of subscription .* is no JSON object: set it again$/),
    "there is no version 'v7'",
  ])
  expect((await site.settled(badUrl, 'exhausted')).reason).toContain('it is no URL')
  for (const path of ['/broken', '/heavy', '/secret', '/no-auth', '/version'])
    expect(site.receiver.sent(path)).toEqual([])
  const list = await site.service.call('GET', '/eventmatch')
  expect(list.json).toHaveLength(26)
  expect(await site.metrics()).toContain('pacifica_expression_failures_total 3')
})

test('ten failures of an expression in a row disable the subscription; a success begins anew', async () => {
  const site = await start()
  const broken = await site.subscribe('streak', '/broken')
  const moody = await site.subscribe('streak', '/moody')
  await spoil(broken, 'jsonpath', '$[?(')
  await spoil(moody, 'jsonpath', HEAVY)
  const states = async (uuid: string) => (await site.deliveries(uuid)).map(({ state }) => state)
  const postAndWait = async (data: unknown, count: number) => {
    await site.post('streak', { data })
    await until(async () => expect(await states(broken)).toHaveLength(count))
  }
  for (let number = 1; number <= 9; number += 1)
    await postAndWait(number === 5 ? [] : nested(60), number)
  expect(await states(moody)).toHaveLength(8)
  expect((await site.show(broken)).disabled).toBeNull()
  await postAndWait(nested(60), 10)
  const disabled = await until(async () => {
    const shown = await site.show(broken)
    expect(shown.disabled).not.toBeNull()
    return shown
  })
  expect(disabled.error).toMatch(
    /^its expression failed on 10 events in a row; the last time: the exp/,
  )
  expect((await site.show(moody)).disabled, 'the fifth event was no failure').toBeNull()

  const last = await site.post('streak')
  await until(async () => {
    const { json } = await site.service.call('GET', `/events/${last}`)
    expect(json.state).toBe('matched')
  })
  expect(await states(broken), 'a disabled one fails silently').toHaveLength(10)
  await site.change(broken, { jsonpath: '$.data', disabled: null })
  expect(await site.show(broken)).toMatchObject({ disabled: null, error: null })
  await site.post('streak')
  await until(async () => expect(await states(broken)).toContain('delivered'))
}, 120_000)

test('a subscription that has only failed for DISABLE_AFTER is disabled when a delivery is given up', async () => {
  const site = await start({ DISABLE_AFTER: '1s' })
  const more = { retry: { max_attempts: 2, delays: [2] } }
  const uuid = await site.subscribe('rule', '/rule', more)
  const short = await site.subscribe('rule', '/short', { retry: { max_attempts: 1 } })
  for (const path of ['/rule', '/short'])
    site.receiver.behave(path, { status: 500 }, { status: 200 })
  site.receiver.behave('/rule', { status: 500 }, { status: 502 }, { status: 200 })
  await site.post('rule')
  await site.settled(short, 'exhausted')
  expect((await site.show(short)).disabled, 'its first failure was just now').toBeNull()
  await site.settled(uuid, 'exhausted')
  await until(async () => {
    const shown = await site.show(uuid)
    expect(shown.disabled).not.toBeNull()
    expect(shown.error).toBe('deliveries have only failed; the last: the target answered 502')
  })
  await site.post('rule')
  await until(async () => {
    const [newest] = await site.deliveries(uuid)
    expect(newest).toMatchObject({ state: 'held', reason: 'the subscription is disabled' })
  })
  await site.change(uuid, { disabled: null })
  expect(await site.show(uuid)).toMatchObject({
    error: null,
    health: { failing_since: null, disables_at: null },
  })
  await until(async () => expect((await site.deliveries(uuid))[0]?.state).toBe('delivered'))
})

test('with one attempt and DISABLE_AFTER=0 the first failure disables, as in the original', async () => {
  const site = await start({ DELIVERY_MAX_ATTEMPTS: '1', DISABLE_AFTER: '0' })
  const uuid = await site.subscribe('original', '/original')
  site.receiver.behave('/original', { status: 404 })
  await site.post('original')
  await site.settled(uuid, 'exhausted')
  await until(async () => {
    const shown = await site.show(uuid)
    expect([shown.disabled === null, shown.error]).toEqual([
      false,
      'deliveries have only failed; the last: the target answered 404',
    ])
  })
  expect(site.receiver.sent('/original')).toHaveLength(1)
})

test('signed deliveries can be verified, with the old secret too after a rotation', async () => {
  const site = await start()
  const uuid = await site.subscribe('signed', '/signed')
  const secretOf = async (method: string) =>
    (await site.service.call(method, `/eventmatch/${uuid}/secret`)).json?.secret as string
  const last = async (count: number) => {
    await site.post('signed', { data: { é: count } })
    return until(() => {
      expect(site.receiver.sent('/signed')).toHaveLength(count)
      const sent = site.receiver.sent('/signed').at(-1)
      return { headers: sent?.headers ?? {}, body: sent?.body ?? '' }
    })
  }
  const now = () => Math.floor(Date.now() / 1_000)
  const unsigned = await last(1)
  expect(unsigned.headers).toMatchObject({
    'webhook-id': expect.any(String),
    'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
  })
  expect(unsigned.headers).not.toHaveProperty('webhook-signature')

  const first = await secretOf('POST')
  const signed = await last(2)
  expect(verify(signed, { secrets: [first], now: now() })).toBe(true)
  const second = await secretOf('POST')
  const rotated = await last(3)
  for (const secret of [first, second])
    expect(verify(rotated, { secrets: [secret], now: now() })).toBe(true)
  await sql.query(
    `UPDATE eventmatch SET signing = jsonb_set(signing, '{1,until}', to_jsonb(now())) WHERE uuid = $1`,
    [uuid],
  )
  const later = await last(4)
  expect(verify(later, { secrets: [first], now: now() })).toBe(false)
  expect(verify(later, { secrets: [second], now: now() })).toBe(true)
  await site.service.call('DELETE', `/eventmatch/${uuid}/secret`)
  expect((await last(5)).headers).not.toHaveProperty('webhook-signature')
})

test('when the key is lost, what needs it fails with the reason, all else goes on, and owners can help themselves', async () => {
  const site = await start()
  const auth = { type: 'basic', basic: { username: 'u', password: 'p' } }
  const signed = await site.subscribe('lost', '/signed')
  const known = await site.subscribe('lost', '/known', { auth })
  const plain = await site.subscribe('lost', '/plain')
  const path = `/eventmatch/${signed}/secret`
  await site.service.call('POST', path)
  const keyFile = join(site.service.dataDir, 'notifications', 'secret.key')
  await rm(keyFile)
  await writeFile(keyFile, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  await site.service.restart()
  await site.post('lost')
  await site.settled(plain, 'delivered')
  for (const uuid of [signed, known])
    expect((await site.settled(uuid, 'failed')).reason).toContain(
      'which the key file does not hold',
    )
  const unreadable = await site.service.call('GET', path)
  expect([unreadable.status, unreadable.json.code]).toEqual([409, 'SECRET_UNREADABLE'])

  await site.change(known, {
    name: 'kept',
    auth: { ...auth, basic: { username: 'u', password: '********' } },
  })
  await site.change(known, { auth })
  expect((await site.service.call('POST', path)).status).toBe(200)
  await site.post('lost')
  for (const uuid of [signed, known])
    await until(async () => expect((await site.deliveries(uuid))[0]?.state).toBe('delivered'))
  expect(site.receiver.sent('/signed')[0]?.headers['webhook-signature']).toMatch(/^v1,[^ ]+$/)
})

test('a delivery whose release was missed is looked at again and goes out', async () => {
  const site = await start()
  const uuid = await site.subscribe('missed', '/missed')
  const missed = async (state: string) => {
    await sql.query(
      `UPDATE delivery SET state = $2, attempt = 0, settled = NULL, due = now() WHERE subscription = $1`,
      [uuid, state],
    )
    // The worker would see to it within half a minute.
    await sql.query('UPDATE lane SET next_due = now() WHERE subscription = $1', [uuid])
    return site.settled(uuid, 'delivered')
  }
  await site.post('missed')
  await site.settled(uuid, 'delivered')
  await missed('held')
  await missed('pending')
  const { rows } = await sql.query(
    `SELECT count(*)::int AS count FROM delivery WHERE (settled IS NULL) <> (due IS NOT NULL)`,
  )
  expect(rows).toEqual([{ count: 0 }])
})

test('an event that cannot be read any more is put aside with the reason and keeps nobody waiting', async () => {
  const site = await start()
  const uuid = await site.subscribe('beside', '/beside')
  const { rows } = await sql.query(
    `WITH event AS (INSERT INTO eventlog (uuid, jsondata) VALUES (gen_random_uuid(), '{"old": true}') RETURNING uuid)
     INSERT INTO event_state (event) SELECT uuid FROM event RETURNING event`,
  )
  await site.post('beside')
  await site.settled(uuid, 'delivered')
  const event = await until(async () => {
    const found = await sql.query('SELECT state, reason FROM event_state WHERE event = $1', [
      rows[0].event,
    ])
    expect(found.rows[0].state).toBe('unmatchable')
    return found.rows[0]
  })
  expect(event.reason).toContain('cloudEventsVersion')
})

test('metrics name what was matched, asked, delivered and tried, and how old the oldest is', async () => {
  const site = await start()
  const uuid = await site.subscribe('metrics', '/metrics', QUICK)
  site.receiver.behave('/metrics', { status: 503 }, { status: 200 })
  await site.post('metrics')
  await site.post('nobody')
  await site.settled(uuid, 'delivered')
  const text = await site.metrics()
  for (const line of [
    'pacifica_events_matched_total{result="some"} 1',
    'pacifica_events_matched_total{result="none"} 1',
    'pacifica_matches_total 1',
    'pacifica_policy_answers_total{answer="allowed"} 1',
    'pacifica_deliveries_total{state="retrying"} 1',
    'pacifica_deliveries_total{state="delivered"} 1',
    'pacifica_delivery_attempts_total{status="5xx"} 1',
    'pacifica_delivery_attempts_total{status="2xx"} 1',
    'pacifica_oldest_due_seconds{what="event"} 0',
    'pacifica_oldest_due_seconds{what="question"} 0',
    'pacifica_oldest_due_seconds{what="delivery"} 0',
    'pacifica_stage_seconds_count{stage="accepted_to_matched"} 2',
    'pacifica_stage_seconds_count{stage="matched_to_answered"} 1',
    'pacifica_stage_seconds_count{stage="due_to_begun"} 2',
    'pacifica_stage_seconds_count{stage="attempt"} 2',
  ])
    expect(text).toContain(`${line}\n`)
  site.receiver.behave('/metrics', { status: 503 })
  await site.post('metrics')
  await until(async () =>
    expect(await site.metrics()).toContain('pacifica_deliveries_waiting{state="retrying"} 1'),
  )
})

/** So deep that an expression which is refused today does too much work on it. */
function nested(depth: number): unknown {
  let value: unknown = 'deep'
  for (let level = 0; level < depth; level += 1) value = { a: value, b: level }
  return value
}

test('what is under way to a target or to Policy when the service stops is stored before it has stopped', async () => {
  const site = await start()
  const retry = { delays: [3_600] }
  const subscription = await site.subscribe('under way', '/under-way', { retry })
  await site.post('under way')
  await site.settled(subscription, 'delivered')
  site.receiver.behave('/under-way', 'silence')
  site.policy.behave('silence', 'bob')
  const asked = await site.subscribe('asked', '/asked', {}, 'bob')
  await site.post('asked') // in hand until Policy is late
  await until(() => expect(site.policy.asked.map(({ user }) => user)).toContain('bob'))
  await site.post('under way') // begins as it is stored: nothing else is in the way
  await until(() => expect(site.receiver.sent('/under-way')).toHaveLength(2))
  await site.service.restart()
  const states = (await site.deliveries(subscription)).map(({ state, attempts }) => [
    state,
    attempts.length,
  ])
  expect(states).toEqual([
    ['retrying', 1],
    ['delivered', 1],
  ])
  expect(await site.deliveries(asked, 'bob')).toMatchObject([{ state: 'pending', attempts: [] }])
})
