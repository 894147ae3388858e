import { expect, test } from 'vitest'
import { failureOf, storable } from './failure.ts'

class HashMismatchError extends Error {}

test('an error shows its class, its message and where it was thrown, without our paths', () => {
  const failure = failureOf(new HashMismatchError('foo.txt differs'), process.cwd())
  expect(failure).toMatchObject({ type: 'HashMismatchError', value: 'foo.txt differs' })
  expect(failure.traceback).toContain('failure.test.ts:')
  expect(failure.traceback).not.toContain(process.cwd())
  expect(failure.traceback).not.toContain('node:')
})

test('what caused an error is told too', () => {
  const cause = new RangeError('disk full')
  const { traceback } = failureOf(new Error('could not write', { cause }), process.cwd())
  expect(traceback).toContain('Caused by RangeError: disk full')
})

test('causes that run in a circle come to an end', () => {
  const error = new Error('round')
  error.cause = error
  expect(failureOf(error, '/').value).toBe('round')
})

test.each([
  ['a string', 'just text', { type: 'string', value: 'just text' }],
  ['undefined', undefined, { type: 'undefined', value: 'undefined' }],
  ['null', null, { type: 'object', value: 'null' }],
  ['a number', 42, { type: 'number', value: '42' }],
  ['a symbol', Symbol('s'), { type: 'symbol', value: 'Symbol(s)' }],
  ['a plain object', { status: 503 }, { type: 'Object', value: '{"status":503}' }],
  ['an object of no class', Object.create(null), { type: 'Object', value: '{}' }],
])('a thrown value that is no error is told as well: %s', (_name, thrown, expected) => {
  expect(failureOf(thrown, '/')).toEqual({ ...expected, traceback: '' })
})

test('a thrown object that throws when it is read still ends in words', () => {
  const hostile = new Proxy(
    {},
    {
      get() {
        throw new Error('do not touch')
      },
    },
  )
  expect(failureOf(hostile, '/').value).toBe('the error could not be read')
})

test('what PostgreSQL cannot store, passwords in URLs and endless text stay out of the row', () => {
  expect(storable('a\u0000b', 10)).toBe('a\ufffdb')
  expect(storable('GET https://joe:secret@cartd/x', 100)).toBe('GET https://***@cartd/x')
  expect(storable('x'.repeat(50), 10)).toBe(`${'x'.repeat(10)}… (cut)`)
})
