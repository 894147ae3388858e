import { expect, test } from 'vitest'
import { newSigningSecret, SigningSecretError, sign, verify, webhookHeaders } from './signature.ts'

/** From the test suite of the specification's own libraries. */
const published = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
  secrets: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
}
const signature = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
const now = published.timestamp

test('the published example has the published signature', () => {
  expect(sign(published)).toBe(signature)
  expect(sign({ ...published, secrets: ['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] })).toBe(signature)
})

test('a delivery carries id, time and signature', () => {
  expect(webhookHeaders(published)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': signature,
  })
})

test('an unsigned delivery carries its id and time', () => {
  expect(Object.keys(webhookHeaders({ ...published, secrets: [] }))).toEqual([
    'webhook-id',
    'webhook-timestamp',
  ])
})

test('while secrets are rotated, receivers with the old and with the new one both accept', () => {
  const [before, after, other] = [newSigningSecret(), newSigningSecret(), newSigningSecret()]
  const headers = webhookHeaders({ ...published, secrets: [after, before] })
  expect(headers['webhook-signature']).toMatch(/^v1,[A-Za-z0-9+/]{43}= v1,[A-Za-z0-9+/]{43}=$/)
  const received = { headers, body: published.body }
  expect(verify(received, { secrets: [before], now })).toBe(true)
  expect(verify(received, { secrets: [after], now })).toBe(true)
  expect(verify(received, { secrets: [other], now })).toBe(false)
})

test('a receiver refuses another body, id or time, and what is missing or too old', () => {
  const headers = webhookHeaders(published)
  const check = (changes: object, body = published.body, at = now) =>
    verify({ headers: { ...headers, ...changes }, body }, { secrets: published.secrets, now: at })
  expect(check({})).toBe(true)
  expect(check({ 'webhook-signature': `v1,AAAA v2,x ${signature}` })).toBe(true)
  expect(check({}, published.body, now + 300)).toBe(true)
  expect(check({}, published.body, now + 301)).toBe(false)
  expect(check({}, published.body, now - 301)).toBe(false)
  expect(check({}, `${published.body} `)).toBe(false)
  expect(check({ 'webhook-id': 'msg_other' })).toBe(false)
  expect(check({ 'webhook-timestamp': String(now + 1) })).toBe(false)
  expect(check({ 'webhook-timestamp': 'hello' })).toBe(false)
  for (const value of [
    '',
    'v1,',
    signature.slice(0, -1),
    signature.slice(3),
    signature.replace('v1', 'v2'),
    undefined,
  ])
    expect(check({ 'webhook-signature': value })).toBe(false)
  for (const name of Object.keys(headers)) expect(check({ [name]: undefined })).toBe(false)
})

test('bodies are signed as the UTF-8 that is sent', () => {
  const secrets = [newSigningSecret()]
  const body = '{"project":"1234é"}'
  const headers = webhookHeaders({ ...published, body, secrets })
  expect(verify({ headers, body: Buffer.from(body).toString('utf8') }, { secrets, now })).toBe(true)
})

test('new secrets are whsec_ and 32 random bytes', () => {
  expect(newSigningSecret()).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  expect(newSigningSecret()).not.toBe(newSigningSecret())
  expect(newSigningSecret((size) => Buffer.alloc(size))).toBe(`whsec_${'A'.repeat(43)}=`)
})

test.each([
  '',
  'whsec_',
  'whsec_c2hvcnQ=',
  'whsec_not base64 at all, but long enough',
  `whsec_${'A'.repeat(88)}`,
])('the secret %j is refused and not repeated', (secret) => {
  expect(() => sign({ ...published, secrets: [secret] })).toThrow(SigningSecretError)
  expect(() => sign({ ...published, secrets: [secret] })).toThrow('24 to 64 bytes in base64')
})
