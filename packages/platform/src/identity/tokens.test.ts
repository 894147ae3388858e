import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CredentialFileError, readApiTokens, readReceiveCredentials } from './tokens.ts'

const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
afterAll(() => rmSync(folder, { recursive: true }))

function file(text: string): string {
  const path = join(folder, 'credentials')
  writeFileSync(path, text)
  return path
}

test('API tokens: a token, its user, and whether it makes an admin', () => {
  expect(readApiTokens(file('# for scripts\n\ns3cret alice\r\n  t0ken\troot   admin \n'))).toEqual([
    { token: 's3cret', user: 'alice', admin: false },
    { token: 't0ken', user: 'root', admin: true },
  ])
})

test('credentials for events: bearer tokens and Basic users', () => {
  expect(readReceiveCredentials(file('bearer s3cret\nbasic metadata p:w\n'))).toEqual([
    { scheme: 'bearer', token: 's3cret' },
    { scheme: 'basic', user: 'metadata', password: 'p:w' },
  ])
})

test.each([
  ['s3cret', 'line 1'],
  ['good alice\ns3cret bob root', 'line 2'],
  ['s3cret bob admin more', 'line 1'],
])('a line of %j is refused by its number, without the token', (text, line) => {
  expect(() => readApiTokens(file(text))).toThrow(CredentialFileError)
  expect(() => readApiTokens(file(text))).toThrow(
    `${line}: write "token user" or "token user admin"`,
  )
  expect(() => readApiTokens(file(text))).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining('s3cret') }),
  )
})

test.each(['bearer', 'bearer a b', 'basic s3cret', 'basic a b c', 'digest a b'])(
  'the entry %j for events is refused',
  (text) => {
    expect(() => readReceiveCredentials(file(text))).toThrow(
      'line 1: write "bearer token" or "basic user password"',
    )
  },
)

test('a file that is empty or away would lock everybody out, so it ends the start', () => {
  expect(() => readApiTokens(file('# nobody yet\n'))).toThrow('holds no entry')
  expect(() => readApiTokens(join(folder, 'away'))).toThrow('cannot be read (ENOENT)')
})
