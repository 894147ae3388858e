import { expect, test } from 'vitest'
import { type PythonSubscription, upgradeSubscription } from './upgrade-subscription.ts'

const upgrade = (row: Partial<PythonSubscription>) =>
  upgradeSubscription({
    uuid: 'u',
    name: 'n',
    user: 'ann',
    jsonpath: '$.data',
    target_url: 'http://example.org/a',
    version: 'v0.1',
    extensions: '{}',
    auth: '{}',
    ...row,
  })

test('an ordinary one stays as it is', () => {
  expect(upgrade({ extensions: '{"a": 1.0}' })).toEqual({
    uuid: 'u',
    targetUrl: 'http://example.org/a',
    version: 'v0.1',
    extensions: '{"a": 1.0}',
    auth: {},
    refused: undefined,
    notes: [],
  })
})

test('what an old schema lacks gets the value that Python gave it later', () => {
  const { version, extensions, auth, ...row } = { ...base(), version: 1, extensions: 1, auth: 1 }
  expect(upgradeSubscription(row)).toMatchObject({ version: 'v0.1', extensions: '{}', auth: {} })
  expect(upgrade({ auth: null })).toMatchObject({ auth: {}, refused: undefined })
})

function base(): PythonSubscription {
  return { uuid: 'u', name: 'n', user: 'a', jsonpath: '$', target_url: 'http://h/' }
}

test.each([
  ['user and password', 'http://me:p%40ss@h/x', '{}', 'me', 'p@ss'],
  ['an empty password', 'http://me:@h/x', '{}', 'me', ''],
  ['before a header', 'http://me:pw@h/x', HEADER(), 'me', 'pw'],
])('%s in target_url move to auth', (_, target_url, auth, username, password) => {
  expect(upgrade({ target_url, auth })).toMatchObject({
    targetUrl: 'http://h/x',
    auth: { type: 'basic', basic: { username, password } },
    notes: ['user and password moved from target_url to auth'],
  })
})

function HEADER(): string {
  return '{"type": "header", "header": {"type": "Bearer", "credentials": "t"}}'
}

test('they lose to basic auth, and a user alone was never sent', () => {
  const auth = '{"type": "basic", "basic": {"username": "a", "password": "b"}}'
  expect(upgrade({ target_url: 'http://me:pw@h/', auth })).toMatchObject({
    targetUrl: 'http://h/',
    auth: { basic: { username: 'a', password: 'b' } },
  })
  expect(upgrade({ target_url: 'http://me@h/' })).toMatchObject({
    targetUrl: 'http://h/',
    auth: {},
  })
})

test('what is missing in auth is the empty text that Python sent', () => {
  expect(upgrade({ auth: '{"type": "basic"}' })).toMatchObject({
    auth: { type: 'basic', basic: { username: '', password: '' } },
    refused: undefined,
  })
  expect(upgrade({ auth: '{"type": "header", "header": {"type": "X"}}' })).toMatchObject({
    auth: { type: 'header', header: { type: 'X', credentials: '' } },
  })
})

test.each([
  [{ jsonpath: '$[?(@.a == 1)]' }, /^jsonpath: /],
  [{ jsonpath: '$[::0]' }, /^jsonpath: /],
  [{ jsonpath: '$.a'.repeat(20_000) }, /^jsonpath: /],
  [{ target_url: 'nowhere' }, /^target_url is no URL/],
  [{ target_url: 'ftp://h/' }, /^the scheme of target_url is ftp/],
  [{ auth: '{' }, /^auth was no JSON object/],
  [{ extensions: '[]' }, /^extensions was no JSON object/],
  [{ auth: '{"type":"basic","basic":{"username":"a","password":"\\n"}}' }, /line break/],
])('%j is refused with the reason', (row, reason) => {
  expect(upgrade(row).refused).toMatch(reason)
  expect(upgrade({ ...row, deleted: '2019-01-01' })).toMatchObject({
    refused: undefined,
    notes: [],
  })
})

test('the bare word of the documented example is no reason to refuse', () => {
  expect(upgrade({ jsonpath: 'data' }).refused).toBeUndefined()
})

test('a backslash in the expression is pointed out', () => {
  const { refused, notes } = upgrade({ jsonpath: '$[?(@.a = "x\\"y")]' })
  expect(refused).toBeUndefined()
  expect(notes).toEqual([expect.stringMatching(/backslash/)])
})
