/** The questions to Policy on real sockets, against a Policy that can do everything wrong. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type PolicyBehaviour,
  type PolicyServer,
  startPolicy,
} from '../../../../test/pacifica/policy.ts'
import { httpPolicyClient, type PolicyClient } from './policy-client.ts'
import { policyWatch } from './policy-watch.ts'

const EVENT =
  '{"eventType":"org.pacifica.metadata.ingest",  "data": {"big": 12345678901234567890, "é": 1.0}}'
const TIMEOUT_MS = 1_000

let policy: PolicyServer
let client: PolicyClient
beforeEach(async () => {
  policy = await startPolicy({ admins: ['root'] })
  client = clientOf(policy.url)
})
afterEach(async () => {
  await client.close()
  await policy.close()
})

const clientOf = (url: string, timeoutMs = TIMEOUT_MS) =>
  httpPolicyClient({ url: new URL(url), timeoutMs, connections: 4 })
const never = new AbortController().signal
const ask = (user = 'dmlb2001', signal = never) => client.ask(user, EVENT, signal)

test('the event is posted as it was received, byte for byte, to /events/{user}', async () => {
  expect(await ask()).toEqual({ kind: 'allowed', status: 200, body: '{"status": "success"}' })
  expect(policy.asked).toMatchObject([
    { path: '/events/dmlb2001', body: EVENT, contentType: 'application/json' },
  ])
})

test.each([
  ['a/b', 'a%2Fb'],
  ['a b?c#d%', 'a%20b%3Fc%23d%25'],
  ['Đức', '%C4%90%E1%BB%A9c'],
  ['..', '%2E%2E'],
  ['.', '%2E'],
  ['CN=x, O=y', 'CN%3Dx%2C%20O%3Dy'],
])('the user %s is one segment of the path', async (user, segment) => {
  await ask(user)
  expect(policy.asked).toMatchObject([{ path: `/events/${segment}`, user }])
})

test('the URL of Policy may have a path, with or without a slash, and credentials', async () => {
  const { host } = new URL(policy.url)
  const other = clientOf(`http://us%40er:p%3Aw@${host}/proxy/policy/`)
  await other.ask('me', EVENT, never)
  await other.close()
  expect(policy.asked).toMatchObject([
    {
      path: '/proxy/policy/events/me',
      authorization: `Basic ${Buffer.from('us@er:p:w').toString('base64')}`,
    },
  ])
})

test.each([200, 201, 204, 299])('%i is a yes', async (status) => {
  policy.behave({ status })
  expect(await ask()).toMatchObject({ kind: 'allowed', status })
})

test.each([412, 403])('%i is a no, with its reason', async (status) => {
  policy.behave({ status, body: 'no such project' })
  expect(await ask()).toEqual({ kind: 'denied', status, body: 'no such project' })
})

test.each([400, 401, 404, 405, 407, 408, 409, 410, 429, 500, 502, 503, 504])(
  '%i is no answer',
  async (status) => {
    policy.behave({ status, body: 'trouble' })
    const answer = await ask()
    expect(answer).toMatchObject({
      kind: 'unanswered',
      status,
      reason: `policy answered ${status}: trouble`,
    })
  },
)

test('a redirect is no answer and is not followed', async () => {
  policy.behave('redirect')
  expect(await ask()).toMatchObject({ kind: 'unanswered', status: 302 })
  expect(policy.asked).toHaveLength(1)
})

test.each<[PolicyBehaviour, RegExp]>([
  ['hang up', /^policy could not be asked: /],
  ['silence', /^policy could not be asked: no answer within 1 s$/],
  ['headers only', /^policy could not be asked: no answer within 1 s$/],
])('%s is no answer, within the time that Policy has', async (behaviour, reason) => {
  policy.behave(behaviour)
  const began = performance.now()
  expect(await ask()).toMatchObject({
    kind: 'unanswered',
    status: null,
    reason: expect.stringMatching(reason),
  })
  expect(performance.now() - began).toBeLessThan(TIMEOUT_MS * 5)
})

test('nobody listening is no answer', async () => {
  await policy.close()
  expect(await ask()).toMatchObject({
    kind: 'unanswered',
    reason: expect.stringMatching(/^policy could not be asked: connection refused by /),
  })
  policy = await startPolicy()
})

test('of a body without end only the beginning is read', async () => {
  policy.behave('endless body')
  const answer = await ask()
  expect(answer).toMatchObject({ kind: 'allowed', body: 'x'.repeat(4096) })
  const before = policy.sent
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(policy.sent).toBe(before)
  expect(before).toBeLessThan(16 * 1024 * 1024)
})

test('a body can be stored whatever it holds', async () => {
  policy.behave({ status: 412, body: 'a\u0000b' })
  expect(await ask()).toMatchObject({ body: 'a\uFFFDb' })
  policy.behave({ status: 412, body: `${'x'.repeat(4095)}é` })
  expect(await ask()).toMatchObject({ body: 'x'.repeat(4095) })
})

test('who is stopped stops asking at once', async () => {
  policy.behave('silence')
  const stop = new AbortController()
  const patient = clientOf(policy.url, 60_000)
  const asking = patient.ask('me', EVENT, stop.signal)
  setTimeout(() => stop.abort(), 50)
  expect(await asking).toMatchObject({ kind: 'unanswered', status: null })
  expect(await patient.ask('me', EVENT, stop.signal)).toMatchObject({ kind: 'unanswered' })
  await patient.close()
})

test('readiness says that Policy is away after three questions without an answer, until it answers', () => {
  const watch = policyWatch(() => new Date('2026-11-22T10:00:00Z'))
  const silence = { kind: 'unanswered', status: 503, reason: 'policy answered 503: busy' } as const
  watch.saw(silence)
  watch.saw(silence)
  expect(watch.trouble()).toBeUndefined()
  watch.saw(silence)
  expect(watch.trouble()).toMatch(/^no answer since 2026-11-22T10:00:00.000Z.*policy answered 503/)
  watch.saw({ kind: 'denied', status: 412, body: '' })
  expect(watch.trouble()).toBeUndefined()
})
