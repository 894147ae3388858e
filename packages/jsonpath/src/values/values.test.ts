/** Python's ways with values, each against what Python itself answers. */

import { describe, expect, test } from 'vitest'
import { compile } from '../compile/compile.ts'
import { codePointAt, codePointLength, codePointSlice } from './code-points.ts'
import { sliceRange } from './slice.ts'

function holds(condition: string, data: unknown = null): boolean {
  return compile(`$[?(${condition})]`).test(data)
}

describe('values are compared as Python compares them', () => {
  test.each([
    '1 = 1.0',
    'true = 1',
    'false = 0.0',
    '[true, {"a": [0]}] = [1, {"a": [false]}]',
    '{"a": 1, "b": 2} = {"b": 2, "a": 1}',
    '"" != 0',
    '"1" != 1',
    'null != false',
    '[] != {}',
    '"\\u0041" = "A"',
    'true < 2',
    'false <= 0',
    '2 > true',
    '[1, 2] contains true',
    '[[1]] contains [1.0]',
    '{"a": 1} contains "a"',
    '"soil" contains ""',
    '[null] contains null',
    '9007199254740993 = 9007199254740992',
  ])('%s', (condition) => {
    expect(holds(condition)).toBe(true)
  })

  test.each([
    '"a" < "b"',
    'null < 1',
    '[1] < [2]',
    '{} >= {}',
    '"1" > 0',
    '"5" contains 5',
    '5 contains 5',
    'null contains null',
    '{"1": 1} contains 1',
    '{"a": "b"} contains "b"',
    '{"a": 1} contains ["a"]',
    '[1, 2] = [2, 1]',
    '[1] = [1, 1]',
    '{"a": 1} = {"a": 1, "b": 1}',
  ])('not %s', (condition) => {
    expect(holds(condition)).toBe(false)
  })
})

test('a text does not contain half of a character', () => {
  expect(holds('$ contains "\\ud83d"', 'a🚀b')).toBe(false)
  expect(holds('$ contains "\\ude80"', 'a🚀b')).toBe(false)
  expect(holds('$ contains "🚀"', 'a🚀b')).toBe(true)
  expect(holds('$ contains "\\ude80"', 'a🚀\ude80')).toBe(true)
  expect(holds('$ contains "\\ud83d"', 'a\ud83d')).toBe(true)
})

test('names of Object.prototype are members only where the data has them', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    expect(compile(`$["${name}"]`).select({})).toEqual([])
    expect(compile('$[$[0]]').test([name])).toBe(false)
    expect(holds(`$ contains "${name}"`, {})).toBe(false)
    const data: unknown = JSON.parse(`{"${name}":1}`)
    expect(compile(`$["${name}"]`).select(data)).toEqual([1])
    expect(holds(`$ = {"${name}":1}`, data)).toBe(true)
    expect(holds(`$ = {}`, data)).toBe(false)
  }
})

/** `[list(range(n))[i] …]` as jsonpath2 selects it, places that wrap left out. */
test.each([
  [undefined, undefined, undefined, '012345'],
  [1, undefined, 2, '135'],
  [-99, 2, undefined, '01'],
  [-2, 99, undefined, '45'],
  [undefined, undefined, -1, ''],
  [5, undefined, -1, ''],
  [5, 0, -1, '54321'],
  [5, -7, -1, '543210'],
  [1, -8, -1, '10'],
  [99, 0, -2, '531'],
  [98, 0, -2, '42'],
  [-1, 0, -5, '5'],
  [Number.MAX_SAFE_INTEGER, 0, -1, '54321'],
  [0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, '0'],
  [0, undefined, -Number.MAX_SAFE_INTEGER, ''],
])('the slice %s:%s:%s of six is %j', (start, end, step, expected) => {
  const range = sliceRange({ kind: 'slice', start, end, step, offset: 0 }, 6)
  const indices = Array.from({ length: range.count }, (_, nth) => range.first + nth * range.step)
  expect(indices.join('')).toBe(expected)
})

test('texts are counted and cut by code points, a lone surrogate being one', () => {
  expect(codePointLength('a🚀b')).toBe(3)
  expect(codePointLength('\ude80\ud83d')).toBe(2)
  expect(codePointAt('a🚀b', -2)).toBe('🚀')
  expect(codePointAt('a🚀b', 3)).toBeUndefined()
  expect(codePointAt('a🚀b', -4)).toBeUndefined()
  expect(codePointSlice('🚀a🚀b', 1, -1)).toBe('a🚀')
  expect(codePointSlice('🚀a', 2)).toBe('')
  expect(codePointSlice('abc', 3, 1)).toBe('')
  expect(codePointSlice('abc', -99, 99)).toBe('abc')
})
