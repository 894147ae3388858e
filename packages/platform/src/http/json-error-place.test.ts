import fc from 'fast-check'
import { expect, test } from 'vitest'
import { jsonErrorPlace } from './json-error-place.ts'

test.each([
  ['', 'the text ends where a value should stand', 1, 1],
  ['{"a": }', '"}" where a value should stand', 1, 7],
  ['{"a": 1,\n "b" 2}', '"2" where \':\' should stand', 2, 6],
  ['{"a": 1,}', '"}" where a key in double quotes should stand', 1, 9],
  ['[1, 2', "the text ends where ',' or a closing bracket should stand", 1, 6],
  ['[1 2]', "\"2\" where ',' or ']' should stand", 1, 4],
  ["{'a': 1}", "\"'\" where a key in double quotes or '}' should stand", 1, 2],
  ['{"a": "b', 'a string that does not end, or with a bad escape or control character', 1, 7],
  ['{"a": NaN}', '"N" where a value should stand', 1, 7],
  ['{} {}', 'text after the end', 1, 4],
  ['[01]', "\"1\" where ',' or ']' should stand", 1, 3],
])('%s: %s at %d:%d', (text, message, line, column) => {
  expect(jsonErrorPlace(text)).toEqual({ message, line, column })
})

test('it agrees with JSON.parse on what is JSON', () => {
  const pieces = fc.constantFrom(
    ...['{', '}', '[', ']', ',', ':', '"a"', '"\\u00e9"', '"\\x"', '1', '-0.5e+3', '01', 'true'],
    ...['nul', ' ', '\n', '"', '\u0001', 'é'],
  )
  const texts = fc.oneof(
    fc.array(pieces, { maxLength: 12 }).map((list) => list.join('')),
    fc.json(),
    fc.tuple(fc.json(), fc.nat(), fc.string({ maxLength: 1 })).map(([text, at, char]) => {
      const offset = at % (text.length + 1)
      return text.slice(0, offset) + char + text.slice(offset + 1)
    }),
  )
  fc.assert(
    fc.property(texts, (text) => {
      expect(jsonErrorPlace(text) === undefined).toBe(isJson(text))
    }),
    { numRuns: 5_000 },
  )
})

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

test('depth costs no stack, and length no time', () => {
  expect(jsonErrorPlace('['.repeat(1_000_000))?.column).toBe(1_000_001)
  expect(jsonErrorPlace(`["${'a'.repeat(10_000_000)}`)?.message).toContain('does not end')
})
