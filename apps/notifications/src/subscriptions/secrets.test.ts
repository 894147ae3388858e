import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  type Auth,
  authorizationHeader,
  MASK,
  MaskedSecretError,
  maskAuth,
  mergeAuth,
  openAuth,
  openSecretBox,
  sealAuth,
  UnreadableSecretError,
  UnusableAuthError,
} from './secrets.ts'

const basic = { type: 'basic', basic: { username: 'me', password: 'hunter2' } }
const header = { type: 'header', header: { type: 'Bearer', credentials: 'tok' } }
const both = { ...basic, header: header.header }
const every: Auth[] = [{}, basic, header, both]

test('replies show who and by what scheme, and a mask for each secret', () => {
  expect(maskAuth(basic)).toEqual({ type: 'basic', basic: { username: 'me', password: MASK } })
  expect(maskAuth(header)).toEqual({
    type: 'header',
    header: { type: 'Bearer', credentials: MASK },
  })
  expect(maskAuth({})).toEqual({})
  expect(JSON.stringify(maskAuth(both))).not.toMatch(/hunter2|tok/)
  expect(maskAuth({ ...basic, basic: { ...basic.basic, password: '' } }).basic?.password).toBe(MASK)
})

test('what GET showed can be PUT back without a change', () => {
  for (const stored of every) expect(mergeAuth(stored, maskAuth(stored))).toEqual(stored)
})

test('a PUT changes what it gives and keeps what is masked', () => {
  const renamed = { type: 'basic', basic: { username: 'you', password: MASK } }
  expect(mergeAuth(basic, renamed).basic).toEqual({ username: 'you', password: 'hunter2' })
  const replaced = { type: 'basic', basic: { username: 'me', password: 'new' } }
  expect(mergeAuth(basic, replaced)).toEqual(replaced)
  expect(mergeAuth(basic, header)).toEqual(header)
  expect(mergeAuth(basic, {})).toEqual({})
})

test('a mask that stands for nothing is refused, on POST and when the kind changes', () => {
  for (const stored of [{}, basic])
    expect(() => mergeAuth(stored, maskAuth(header))).toThrow(MaskedSecretError)
  expect(() => mergeAuth({}, maskAuth(basic))).toThrow(/auth\.basic\.password is the mask/)
})

test('in the table the secrets are sealed, for their subscription and their field', () => {
  const box = openSecretBox([{ id: '00000001', key: randomBytes(32) }])
  for (const auth of every) {
    const sealed = sealAuth(box, auth, 'a')
    expect(JSON.stringify(sealed)).not.toMatch(/hunter2|tok/)
    expect(openAuth(box, sealed, 'a')).toEqual(auth)
  }
  const sealed = sealAuth(box, both, 'a')
  expect(() => openAuth(box, sealed, 'b')).toThrow(UnreadableSecretError)
  const swapped = {
    ...sealed,
    header: { type: 'Bearer', credentials: sealed.basic?.password ?? '' },
  }
  expect(() => openAuth(box, swapped, 'a')).toThrow(UnreadableSecretError)
})

test('what the Python service stored, not sealed and perhaps in parts, can be read and shown', () => {
  const box = openSecretBox([{ id: '00000001', key: randomBytes(32) }])
  for (const auth of [...every, { type: 'basic' }, { type: 'basic', basic: { username: 'me' } }]) {
    expect(openAuth(box, auth, 'a')).toEqual(auth)
    expect(JSON.stringify(maskAuth(auth))).not.toMatch(/hunter2|tok/)
  }
})

test.each([
  [{}, undefined],
  [basic, `Basic ${Buffer.from('me:hunter2').toString('base64')}`],
  [{ type: 'basic', basic: { username: 'é', password: 'ü:' } }, 'Basic 6Tr8Og=='],
  [{ type: 'basic', basic: { username: '', password: '' } }, 'Basic Og=='],
  [header, 'Bearer tok'],
  [{ type: 'header', header: { type: 'Digest', credentials: 'a="b", c=d' } }, 'Digest a="b", c=d'],
  [both, `Basic ${Buffer.from('me:hunter2').toString('base64')}`],
])('%j becomes the header %j', (auth, expected) => {
  expect(authorizationHeader(auth)).toBe(expected)
})

test.each([
  [
    { type: 'header', header: { type: 'Bearer', credentials: 's3cret\r\nx-admin: 1' } },
    'auth.header.credentials holds a line break',
  ],
  [
    { type: 'header', header: { type: 'Bearer\n', credentials: 's3cret' } },
    'auth.header.type holds a line break',
  ],
  [
    { type: 'header', header: { type: 'Bearer', credentials: 's3cret\0' } },
    'auth.header.credentials holds a control character',
  ],
  [{ type: 'header', header: { type: 'Bearer', credentials: 's3cret\u20ac' } }, 'outside Latin-1'],
  [
    { type: 'basic', basic: { username: 'me', password: 's3cret\r' } },
    'auth.basic.password holds a line break',
  ],
  [
    { type: 'basic', basic: { username: '\u0416', password: 's3cret' } },
    'auth.basic.username holds a control character or one outside',
  ],
  [{ type: 'basic' }, 'auth.basic.username is missing'],
  [{ type: 'header', header: { type: 'Bearer' } }, 'auth.header.credentials is missing'],
  [{ type: 'oauth' }, "auth.type must be 'basic' or 'header'"],
])('%j makes no header, and the reason names the member and not its value', (auth, message) => {
  expect(() => authorizationHeader(auth)).toThrow(UnusableAuthError)
  expect(() => authorizationHeader(auth)).toThrow(message)
  expect(() => authorizationHeader(auth)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
  )
})
