import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { KeyFileError, loadOrCreateKeyFile, refuseShared } from './key-file.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'key-file-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const keyA = Buffer.alloc(32, 'a').toString('base64')
const keyB = Buffer.alloc(32, 'b').toString('base64')

function write(text: string, mode = 0o600): string {
  const path = join(folder, 'secret.key')
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

test('the first start makes a key that only its owner can read; later starts find it again', () => {
  const path = join(folder, 'new', 'secret.key')
  const made = loadOrCreateKeyFile(path)
  expect(made).toHaveLength(1)
  expect(made[0].key).toHaveLength(32)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700)
  expect(readdirSync(join(folder, 'new'))).toEqual(['secret.key'])
  expect(loadOrCreateKeyFile(path)).toEqual(made)
})

test('a link to a file that is not there is refused: no second key is made beside a lost one', () => {
  const path = join(folder, 'secret.key')
  symlinkSync(join(folder, 'volume', 'secret.key'), path)
  expect(() => loadOrCreateKeyFile(path)).toThrow(/holds no key: restore it/)
  expect(readdirSync(folder)).toEqual(['secret.key'])
})

test('several lines are several keys, in their order; comments and blank lines are none', () => {
  const path = write(`# rotated in June\n\n${keyB}\r\n  ${keyA.replace('=', '')}  \n`)
  const keys = loadOrCreateKeyFile(path)
  expect(keys.map(({ key }) => Buffer.from(key).toString('base64'))).toEqual([keyB, keyA])
  expect(keys.map(({ id }) => id)).toEqual([
    expect.stringMatching(/^[0-9a-f]{8}$/),
    expect.stringMatching(/^[0-9a-f]{8}$/),
  ])
  expect(keys[0].id).not.toBe(keys[1]?.id)
})

test("a container's secret is somebody else's file, whose mode is not ours to set", () => {
  const secret = { mode: 0o100444, uid: 0 }
  expect(() => refuseShared('/run/secrets/secret_key', secret, 10_001)).not.toThrow()
  expect(() => refuseShared('/run/secrets/secret_key', secret, 0)).toThrow('chmod 600')
})

test.each([0o640, 0o604, 0o660, 0o644, 0o777])(
  'a file of mode %o is refused, with what to do',
  (mode) => {
    const path = write(keyA, mode)
    expect(() => loadOrCreateKeyFile(path)).toThrow(
      new KeyFileError(
        `${path} can be read by others (mode ${mode.toString(8)}): chmod 600 ${path}`,
      ),
    )
  },
)

test.each([
  ['', 'holds no key'],
  ['# nothing but this\n', 'holds no key'],
  [Buffer.alloc(31).toString('base64'), 'line 1: a key is 32 bytes in base64'],
  [`${keyA}\n${keyB}!`, 'line 2: a key is 32 bytes in base64'],
  ['correct horse battery staple', 'line 1: a key is 32 bytes'],
])('a file that holds %j is refused and left as it is', (text, message) => {
  const path = write(text)
  expect(() => loadOrCreateKeyFile(path)).toThrow(
    expect.objectContaining({ code: 'KEY_FILE', message: expect.stringContaining(message) }),
  )
  expect(readFileSync(path, 'utf8')).toBe(text)
})

test('a mistake does not show the key', () => {
  const path = write(`${keyA}x`)
  expect(() => loadOrCreateKeyFile(path)).toThrow(
    expect.objectContaining({ message: expect.not.stringContaining(keyA) }),
  )
})

test('a folder that is none is said to be the trouble', () => {
  const path = write(keyA)
  expect(() => loadOrCreateKeyFile(join(path, 'secret.key'))).toThrow(/ENOTDIR/)
  expect(() => loadOrCreateKeyFile(folder)).toThrow(KeyFileError)
})
