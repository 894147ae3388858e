import { expect, test } from 'vitest'
import {
  AmbiguousUserError,
  createIdentify,
  type IdentifyOptions,
  NoUserError,
  UnknownTokenError,
  UntrustedUserHeaderError,
  UserTooLongError,
} from './index.ts'

const tokens = [
  { token: 'tok-alice', user: 'alice', admin: false },
  { token: 'tok-root', user: 'root', admin: true },
  { token: 'tok-boss', user: 'boss', admin: false },
]

function identify(
  headers: Record<string, string | string[] | undefined>,
  options: Partial<IdentifyOptions> = {},
  remoteAddress: string | undefined = '127.0.0.1',
) {
  return createIdentify({
    userHeader: 'Http-Remote-User',
    trustedProxies: ['127.0.0.0/8', '::1/128'],
    adminUsers: ['boss'],
    ...options,
  })({ remoteAddress, headers })
}

test('the user header of a trusted proxy says who is asking', () => {
  expect(identify({ 'http-remote-user': 'dmlb2001' })).toEqual({ user: 'dmlb2001', admin: false })
  expect(identify({ 'http-remote-user': 'boss' })).toEqual({ user: 'boss', admin: true })
  expect(identify({ 'http-remote-user': ' a b@x,y ' })).toEqual({ user: 'a b@x,y', admin: false })
})

test.each(['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'])(
  '%s is trusted by default',
  (address) => {
    expect(identify({ 'http-remote-user': 'me' }, {}, address).user).toBe('me')
  },
)

test('another header and other proxies can be configured', () => {
  const options = { userHeader: 'X-User', trustedProxies: ['10.1.0.0/16'] }
  expect(identify({ 'x-user': 'me' }, options, '::ffff:10.1.2.3').user).toBe('me')
  expect(() => identify({ 'x-user': 'me' }, options, '127.0.0.1')).toThrow(UntrustedUserHeaderError)
  expect(() => identify({ 'http-remote-user': 'me' }, options, '10.1.2.3')).toThrow(NoUserError)
})

test('from anywhere else the header is an error that says so, also beside a valid token', () => {
  for (const address of ['10.0.0.1', '::ffff:10.0.0.1', '2001:db8::1', undefined, '']) {
    const ask = () =>
      createIdentify({
        userHeader: 'Http-Remote-User',
        trustedProxies: ['127.0.0.0/8'],
        adminUsers: [],
        defaultUser: 'me',
        tokens,
      })({
        remoteAddress: address,
        headers: { 'http-remote-user': 'boss', authorization: 'Bearer tok-alice' },
      })
    expect(ask).toThrow(UntrustedUserHeaderError)
    expect(ask).toThrow(expect.objectContaining({ code: 'USER_HEADER_UNTRUSTED' }))
  }
  expect(() => identify({ 'http-remote-user': 'boss' }, {}, '10.0.0.1')).toThrow(
    'the header Http-Remote-User is believed only from TRUSTED_PROXIES, and 10.0.0.1 is none of them',
  )
})

test('a header that came twice is believed not at all', () => {
  expect(() => identify({ 'http-remote-user': 'mallory, alice' })).toThrow(AmbiguousUserError)
  expect(() => identify({ 'http-remote-user': ['mallory', 'alice'] })).toThrow(AmbiguousUserError)
})

test('a name that no table can hold is refused before it gets there', () => {
  expect(identify({ 'http-remote-user': 'u'.repeat(255) }).user).toHaveLength(255)
  expect(() => identify({ 'http-remote-user': 'u'.repeat(256) })).toThrow(UserTooLongError)
})

test('without a header the default user asks, from anywhere; without one nobody does', () => {
  for (const headers of [
    {},
    { 'http-remote-user': '' },
    { 'http-remote-user': ' ' },
    { 'http-remote-user': undefined },
  ]) {
    expect(identify(headers, { defaultUser: 'boss' }, '10.0.0.1')).toEqual({
      user: 'boss',
      admin: true,
    })
    expect(() => identify(headers)).toThrow(NoUserError)
  }
  expect(() => identify({})).toThrow(
    'nothing says who you are: there is no header Http-Remote-User',
  )
  expect(() => identify({}, { tokens })).toThrow('nor an Authorization: Bearer token')
})

test('a token says who is asking, from anywhere; it may make an admin, and so may ADMIN_USERS', () => {
  const options = { tokens, defaultUser: 'nobody' }
  const bearer = (token: string) =>
    identify({ authorization: `Bearer ${token}` }, options, '10.0.0.1')
  expect(bearer('tok-alice')).toEqual({ user: 'alice', admin: false })
  expect(bearer('tok-root')).toEqual({ user: 'root', admin: true })
  expect(bearer('tok-boss')).toEqual({ user: 'boss', admin: true })
  expect(identify({ authorization: 'bEaReR  tok-alice ' }, options).user).toBe('alice')
})

test('an unknown token is an error, never the default user', () => {
  for (const token of ['', 'tok-alic', 'tok-alice2', 'TOK-ALICE', 'alice'])
    expect(() =>
      identify({ authorization: `Bearer ${token}` }, { tokens, defaultUser: 'me' }),
    ).toThrow(UnknownTokenError)
})

test('a trusted proxy outranks a token; another scheme, or tokens that are not in use, say nothing', () => {
  const authorization = 'Bearer tok-root'
  expect(identify({ 'http-remote-user': 'alice', authorization }, { tokens })).toEqual({
    user: 'alice',
    admin: false,
  })
  expect(identify({ authorization: 'Basic YTpi' }, { tokens, defaultUser: 'me' }).user).toBe('me')
  expect(identify({ authorization }, { defaultUser: 'me' }).user).toBe('me')
})

test('a bad range in TRUSTED_PROXIES ends the start', () => {
  expect(() => identify({}, { trustedProxies: ['proxy.example.org'] })).toThrow(
    '"proxy.example.org" is no address range',
  )
})
