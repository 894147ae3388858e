import { describe, expect, test } from 'vitest'
import { JsonPathLimitError, JsonPathSyntaxError } from '../errors.ts'
import { parse } from '../parse.ts'
import { parseText } from './parser.ts'
import { print } from './print.ts'

function errorOf(text: string): JsonPathSyntaxError {
  try {
    parse(text)
  } catch (error) {
    if (error instanceof JsonPathSyntaxError) return error
    throw error
  }
  throw new Error(`${text} parsed`)
}

const MISTAKES: readonly [text: string, offset: number, hint: RegExp][] = [
  ['$[?(@.a == 1)]', 9, /one sign/],
  ['$[?(@.a && @.b)]', 8, /'and'/],
  ['$[?(@.a || @.b)]', 8, /'or'/],
  ["$['room']", 2, /double quotes/],
  ['$.and', 2, /\["and"\]/],
  ['$..null', 3, /\["null"\]/],
  ['$[room]', 2, /\["room"\]/],
  ['$["a", room]', 7, /\["room"\]/],
  ['data', 0, /did you mean \$\["data"\]\?/],
  ['@.a', 0, /starts with '\$'/],
  ['$[?(!@.a)]', 4, /'not'/],
  ['$[?(@.a <> 1)]', 9, /'!='/],
  ['$[?(@.a =~ "x")]', 9, /regular expressions/],
  ['$.a.[0]', 4, /dot out/],
  ['$.?(@.a)', 2, /dot out/],
  ['$.a.', 4, /must follow/],
  ['$..', 3, /must follow/],
  ['$[?@.a]', 3, /parentheses/],
  ['$.a = 1', 4, /in a filter/],
  ['$.café', 5, /\["like this"\]/],
  ['$.a-b', 3, /\["like this"\]/],
  ['$[?((@.a) = 1)]', 10, /conditions only/],
  ['$[?(@.a = (1))]', 10, /conditions only/],
  ['$[?(@.a AND @.b)]', 8, /lower case: 'and'/],
  ['$[?(@.a = True)]', 10, /lower case: 'true'/],
  ['$[?(@.a = None)]', 10, /'null'/],
  ['$[?(@.a = .5)]', 10, /as in JSON/],
  ['$[?(@.a = 1e05)]', 13, /as in JSON/],
]

describe('a common mistake is pointed at, with what to write instead', () => {
  test.each(MISTAKES)('%s', (text, offset, hint) => {
    const error = errorOf(text)
    expect(error.code).toBe('JSONPATH_SYNTAX')
    expect(error.offset).toBe(offset)
    expect(error.hint).toMatch(hint)
  })
})

test('an unknown function has a code of its own and names the functions there are', () => {
  expect(errorOf('$.foo()')).toMatchObject({
    code: 'JSONPATH_FUNCTION',
    offset: 2,
    expected: 'one of length, keys, values, entries, charAt, substring',
  })
  expect(errorOf('$[Length()]').hint).toBe('did you mean length()?')
  expect(errorOf('$.size()').hint).toBe('did you mean length()?')
})

test('the place of an error is an offset in UTF-16 units, a line and a column of characters', () => {
  const text = '$[?(\n  @.a = "🚀" &&\n)]'
  expect(errorOf(text)).toMatchObject({ offset: text.indexOf('&'), line: 2, column: 12 })
  expect(errorOf(text).message).toMatch(/line 2, column 12: expected 'and', 'or' or '\)'$/)
})

test.each([
  ['$.a  .b', '$["a"]["b"]'],
  ['$ [ * ] .. a', '$[*]..["a"]'],
  ['$[-0, 1 :, ::2]', '$[0,1:,::2]'],
  ['$[9007199254740993:-99999999999999999999]', '$[9007199254740991:-9007199254740991]'],
  ['$[?(((@.a)))]', '$[?(@["a"])]'],
  ['$[?(@.a or@.b and not not@.c=1)]', '$[?((@["a"] or @["b"]) and not not @["c"] = 1)]'],
  ['$[?(1 and (2 and 3))]', '$[?(1 and 2 and 3)]'],
  ['$[?(1and 2)]', '$[?(1 and 2)]'],
  ['$.s[charAt(1.0), substring(-0, 1e2)]', '$["s"][charAt(1.0),substring(0,100.0)]'],
  ['$[?(@ contains"\\u0041\\/")]', '$[?(@ contains "A/")]'],
  ['$[?(1e999 = -1e999)]', '$[?(1e999 = -1e999)]'],
  ['$[?([1e0, {"b": 1, "a": null, "b": "x"}])]', '$[?([1,{"b":"x","a":null}])]'],
  ['$[$.a[@.b]]', '$[$["a"][@["b"]]]'],
])('%s is printed as %s', (text, printed) => {
  expect(print(parse(text))).toBe(printed)
  expect(print(parse(printed))).toBe(printed)
})

test('a literal object keeps a member called __proto__ as a member', () => {
  const printed = '$[?({"__proto__":{"x":1}} contains "x")]'
  expect(print(parse(printed))).toBe(printed)
})

describe('where the root is optional, a text is read as if it followed the root', () => {
  test.each([
    ['data', '$["data"]'],
    ['  data[0].x', '$["data"][0]["x"]'],
    ['*', '$[*]'],
    ['keys()[0]', '$[keys()][0]'],
    ['["a"]', '$["a"]'],
    ['.a', '$["a"]'],
    ['..a', '$..["a"]'],
    ['$.a', '$["a"]'],
  ])('%s means %s', (text, meant) => {
    expect(print(parseText(text, 'optional').path)).toBe(meant)
  })

  test.each(['', '@.a', 'and', "'a'", '?(@.a)', '1'])('%j is still refused', (text) => {
    expect(() => parseText(text, 'optional')).toThrow(JsonPathSyntaxError)
  })
})

describe('an expression that is too large is refused before it is built', () => {
  const nested = (depth: number) => `$[?(${'('.repeat(depth - 2)}1${')'.repeat(depth - 2)})]`
  test.each([
    ['length', `$${' '.repeat(8192)}`, `$${' '.repeat(8191)}`],
    ['nesting', nested(65), nested(64)],
    ['nesting', `$[?(${'not '.repeat(63)}1)]`, `$[?(${'not '.repeat(62)}1)]`],
    [
      'nesting',
      `$[?(${'['.repeat(63)}${']'.repeat(63)})]`,
      `$[?([${'['.repeat(61)}${']'.repeat(62)})]`,
    ],
    ['nodes', `$${'.a'.repeat(1000)}`, `$${'.a'.repeat(999)}`],
    ['nodes', `$[?([${'1,'.repeat(2000)}1])]`, `$[?([${'1,'.repeat(1900)}1])]`],
  ])('%s', (limit, tooLarge, allowed) => {
    expect(() => parse(allowed)).not.toThrow()
    expect(() => parse(tooLarge)).toThrow(JsonPathLimitError)
    expect(() => parse(tooLarge)).toThrow(
      expect.objectContaining({ code: 'JSONPATH_LIMIT', limit, line: 1 }),
    )
  })
})
