import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isSealed, openSecretBox, UnreadableSecretError } from './secret-box.ts'

const old = { id: '00000001', key: randomBytes(32) }
const current = { id: '00000002', key: randomBytes(32) }
const place = { subscription: '2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11', field: 'auth.basic.password' }
const box = openSecretBox([current, old])

test('what was sealed opens again, whatever it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (plain) => {
      expect(box.open(box.seal(plain, place), place)).toBe(plain)
    }),
  )
})

test('a sealed text shows its key, and neither the secret nor that two secrets are the same', () => {
  const [one, two] = [box.seal('hunter2', place), box.seal('hunter2', place)]
  expect(one).toMatch(/^sealed:v1:00000002:[A-Za-z0-9_-]+$/)
  expect(one).not.toBe(two)
  expect(Buffer.from(one.split(':')[3] ?? '', 'base64url').includes('hunter2')).toBe(false)
  expect([isSealed(one), isSealed('hunter2'), isSealed('')]).toEqual([true, false, false])
})

test('the first key seals and all keys open, so that keys can be rotated', () => {
  const before = openSecretBox([old]).seal('hunter2', place)
  expect(box.open(before, place)).toBe('hunter2')
  expect([box.isCurrent(before), box.isCurrent(box.seal('x', place))]).toEqual([false, true])
})

test('without its key a secret is unreadable, and the message names the key', () => {
  const sealed = box.seal('hunter2', place)
  const other = openSecretBox([old])
  expect(() => other.open(sealed, place)).toThrow(UnreadableSecretError)
  expect(() => other.open(sealed, place)).toThrow(
    /sealed with key 00000002, which the key file does not hold/,
  )
})

test('a secret opens in its own place only; the spelling of the uuid does not matter', () => {
  const sealed = box.seal('hunter2', place)
  expect(box.open(sealed, { ...place, subscription: place.subscription.toUpperCase() })).toBe(
    'hunter2',
  )
  for (const elsewhere of [
    { ...place, subscription: '00000000-0000-0000-0000-000000000000' },
    { ...place, field: 'auth.header.credentials' },
  ])
    expect(() => box.open(sealed, elsewhere)).toThrow(UnreadableSecretError)
})

test('a sealed text that was changed anywhere is unreadable, with a code and nothing secret', () => {
  const sealed = box.seal('hunter2', place)
  const [, , id, payload = ''] = sealed.split(':')
  const bytes = Buffer.from(payload, 'base64url')
  for (let index = 0; index < bytes.length; index++) {
    const changed = Buffer.from(bytes)
    changed[index] = (changed[index] ?? 0) ^ 1
    expect(() => box.open(`sealed:v1:${id}:${changed.toString('base64url')}`, place)).toThrow(
      UnreadableSecretError,
    )
  }
  const rekeyed = sealed.replace(current.id, old.id)
  for (const broken of [
    '',
    'hunter2',
    'sealed:v1:',
    'sealed:v2:00000002:AAAA',
    `sealed:v1:${id}:AAAA`,
    sealed.slice(0, -4),
    rekeyed,
  ])
    expect(() => box.open(broken, place)).toThrow(
      expect.objectContaining({
        code: 'SECRET_UNREADABLE',
        message: expect.not.stringContaining('hunter2'),
      }),
    )
})
