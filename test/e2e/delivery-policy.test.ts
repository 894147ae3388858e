/** Nothing goes out without Policy's yes, and its silence is nobody's fault. On PostgreSQL. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase } from '../harness/index.ts'
import { QUICK, type Site, startSite, until } from '../pacifica/site.ts'

let drop = async () => {}
let sql: pg.Client
let site: Site

beforeAll(async () => {
  const database = await createTestDatabase()
  drop = database.drop
  sql = new pg.Client({ connectionString: database.url })
  await sql.connect()
  site = await startSite({ DATABASE_URL: database.url })
}, 300_000)
afterAll(async () => {
  await sql?.end()
  await site?.close()
  await drop()
})
beforeEach(() => site.policy.behave('yes'))

test('Policy gets the event as it was received, once for all subscriptions of a user', async () => {
  const user = 'Đức/..'
  const name = Buffer.from(user).toString('latin1') // as a proxy sends it
  const extensions = { added: 'later' }
  const uuids = await Promise.all(
    ['/a', '/b'].map((path) => site.subscribe('once', path, { extensions }, 'a b/c')),
  )
  const other = await site.subscribe('once', '/c', {}, name)
  const body =
    '{"eventType":"once", "cloudEventsVersion":"0.1","source":"/s","eventID":"1","n":1.0}'
  const headers = { 'content-type': 'application/json' }
  await site.service.call('POST', '/receive', { body, headers })
  for (const uuid of uuids) await site.settled(uuid, 'delivered', 'a b/c')
  await site.settled(other, 'delivered', name)
  const asked = site.policy.asked.filter((question) => question.body === body)
  expect(asked.map(({ path }) => path).sort()).toEqual([
    `/events/${encodeURIComponent(name)}`,
    '/events/a%20b%2Fc',
  ])
  expect(site.receiver.sent('/a')[0]?.body).toContain('"added": "later"')
})

test('a no is recorded with its reason, and nothing is sent', async () => {
  const [ann, bob] = await Promise.all([
    site.subscribe('no', '/ann', {}, 'ann'),
    site.subscribe('no', '/bob', {}, 'bob'),
  ])
  site.policy.behave('no', 'ann')
  const event = await site.post('no')
  const { reason } = await site.settled(ann, 'denied', 'ann')
  expect(reason).toContain('policy answered 412: {"message": "Precondition Failed')
  await site.settled(bob, 'delivered', 'bob')
  expect(site.receiver.sent('/ann')).toEqual([])
  const { json } = await site.service.call('GET', `/events/${event}`, { user: 'ann' })
  expect(json.deliveries[0].policy).toMatchObject({ state: 'denied', status_code: 412 })
  expect((await site.show(ann, 'ann')).health).toMatchObject({ failing_since: null })
})

test('like the real Policy, ours is asked for every type of event', async () => {
  site.policy.behave('as it is')
  const [ingest, orm] = await Promise.all([
    site.subscribe('org.pacifica.metadata.ingest', '/ingest'),
    site.subscribe('org.pacifica.metadata.orm', '/orm'),
  ])
  await site.post('org.pacifica.metadata.ingest')
  await site.post('org.pacifica.metadata.orm', { data: { obj_type: 'users' } })
  await site.settled(ingest, 'delivered')
  await site.settled(orm, 'denied')
})

test('while Policy is away deliveries wait, the service is ready but degraded, metrics say so, and nobody is blamed', async () => {
  const uuid = await site.subscribe('away', '/away')
  site.policy.behave({ status: 502, body: 'Bad Gateway' })
  await site.post('away')
  const degraded = await until(async () => {
    const answer = await site.service.call('GET', '/readyz')
    expect(answer.json).toMatchObject({ ready: true, status: 'degraded' })
    return answer
  })
  expect(degraded.status).toBe(200)
  expect(degraded.json.checks.policy).toMatch(
    /^no answer since .* policy answered 502: Bad Gateway$/,
  )
  expect(await site.metrics()).toMatch(/pacifica_policy_answers_total\{answer="unanswered"\} \d/)
  expect((await site.service.call('POST', '/receive', { body: '{}' })).status).toBe(400)
  const [waiting] = await site.deliveries(uuid)
  expect(waiting).toMatchObject({ state: 'pending', attempts: [] })
  expect(await site.show(uuid)).toMatchObject({
    disabled: null,
    error: null,
    health: { failing_since: null },
  })
  site.policy.behave('yes')
  await site.settled(uuid, 'delivered')
  expect((await site.service.call('GET', '/readyz')).json).toMatchObject({ status: 'ready' })
})

test.each(['hang up', 'redirect', 'headers only'] as const)(
  'a Policy that answers with %s is asked again',
  async (behaviour) => {
    const path = `/${behaviour.replace(' ', '-')}`
    const uuid = await site.subscribe(behaviour, path)
    const before = site.policy.asked.length
    site.policy.behave(behaviour)
    await site.post(behaviour)
    await until(() => expect(site.policy.asked.length).toBeGreaterThan(before))
    const states = async () => (await site.deliveries(uuid)).map(({ state }) => state)
    await until(async () => expect(await states()).toEqual(['pending']))
    site.policy.behave('yes')
    await site.settled(uuid, 'delivered')
    expect(site.receiver.sent(path)).toHaveLength(1)
  },
)

test('events for which Policy is silent are stored with their questions, readiness says so, and they go out when it answers', async () => {
  const uuid = await site.subscribe('silence', '/silence')
  const states = async () => (await site.deliveries(uuid)).map(({ state }) => state)
  site.policy.behave('silence')
  const events = await Promise.all([1, 2, 3].map(() => site.post('silence')))
  await until(async () => expect(await states()).toEqual(['pending', 'pending', 'pending']))
  const { json: event } = await site.service.call('GET', `/events/${events[0]}`)
  expect(event).toMatchObject({ state: 'matched', deliveries: [{ policy: { state: 'asking' } }] })
  const trouble = /^no answer since .* policy could not be asked: no answer within 1 s$/
  await until(async () => {
    const { json: ready } = await site.service.call('GET', '/readyz')
    expect(ready).toMatchObject({ ready: true, status: 'degraded' })
    expect(ready.checks.policy).toMatch(trouble)
  })
  site.policy.behave('yes')
  await until(async () => expect(await states()).toEqual(['delivered', 'delivered', 'delivered']))
  expect(site.receiver.sent('/silence')).toHaveLength(3)
})

test('an old yes is asked for again before the next attempt, and a no then ends it', async () => {
  const uuid = await site.subscribe('ttl', '/ttl', QUICK)
  site.receiver.behave('/ttl', { status: 503 })
  const event = await site.post('ttl')
  await site.settled(uuid, 'retrying')
  site.policy.behave('no')
  await sql.query(
    `UPDATE policy_answer SET answered = now() - interval '1 hour' WHERE event = $1`,
    [event],
  )
  const tried = site.receiver.sent('/ttl').length
  const { reason } = await site.settled(uuid, 'denied')
  expect(reason).toContain('policy answered 412')
  expect(site.receiver.sent('/ttl').length - tried).toBeLessThanOrEqual(1)
})

test('what is held is asked for when it is released, not before', async () => {
  const uuid = await site.subscribe('held', '/held', { disabled: '2026-01-01T00:00:00Z' })
  const before = site.policy.asked.length
  await site.post('held')
  await site.settled(uuid, 'held')
  expect(site.policy.asked.length).toBe(before)
  await site.change(uuid, { disabled: null })
  await site.settled(uuid, 'delivered')
  expect(site.policy.asked.length).toBe(before + 1)
})
