/** Hostile expressions and hostile values: an answer or a JsonPathLimitError, and soon. */

import { describe, expect, test } from 'vitest'
import { compile } from './compile/compile.ts'
import { JsonPathLimitError } from './errors.ts'
import { evaluate } from './evaluate.ts'
import { parse } from './parse.ts'
import { countNodes } from './work.ts'

const TIMEOUT_MS = 120_000

function objects(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = { a: value }
  return value
}

function arrays(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

/** An event of n files, 8 nodes each. */
function files(n: number): unknown {
  const data = Array.from({ length: n }, (_, at) => ({
    _id: at,
    name: `file ${at}`,
    key: 'infile',
    value: `file ${n - at}`,
    tags: [at],
  }))
  return { data }
}

/** Compiled so that it throws when a test takes more than this many steps. */
function within(steps: number, text: string) {
  return compile(text, { limits: { baseSteps: steps, maxSteps: steps } })
}

const nestedSearch = (levels: number) =>
  Array.from({ length: levels })
    .reduce<string>((inner) => `@..[?(${inner})]`, '@.zz')
    .slice(1)

describe('work that grows with the number of ways to a node is done once for each node', () => {
  test.each([
    ['..* six times', 700, `$${'..*'.repeat(6)}.zz`, objects(40)],
    ['..* ten times', 1100, `$${'..*'.repeat(10)}.zz`, objects(40)],
    ['four searches inside one another', 4000, `$${nestedSearch(4)}`, objects(40)],
    ['a union of the same element', 200, `$${'[*,0]'.repeat(18)}.zz`, arrays(30)],
    ['a union of the same name', 200, `$${'["a","a"]'.repeat(20)}.zz`, objects(40)],
    ['a union of the same filter', 500, `$${'[?(1),?(1)]'.repeat(40)}.zz`, 5],
    ['wrong arguments', 10, '$.length($..*,$..*,$..*)', files(1000)],
    ['a slice past the end', 10, '$[1:8000000]', [1]],
    [
      'paths against paths',
      20_000,
      '$[?($.data[*][?(@.name = $.data[*][?(@.key = "infile")].zz)])]',
      files(1000),
    ],
    ['two long lists', 10_000, '$[?($.data[*].name != $.data[*].name and 1 = 2)]', files(1000)],
    ['two long lists in order', 20_000, '$[?($.data[*]._id > $.data[*].zz)]', files(1000)],
    [
      'one list against the current value',
      20_000,
      '$.data[*][?($.data[*].value = @.name)][?(1 = 2)]',
      files(1000),
    ],
    [
      'long lists that contain',
      20_000,
      '$.data[*][?($.data[0:1].tags contains @.zz)]',
      files(1000),
    ],
  ])('%s', (_name, steps, text, value) => {
    const compiled = within(steps, text)
    expect(compiled.test(value)).toBe(false)
    expect(compile(text).select(value)).toEqual([])
  })
})

test(
  'what cannot be done in the budget ends in an error that says so',
  () => {
    const compiled = compile('$..substring($..*,$..*).zz')
    expect(() => compiled.test(files(20_000))).toThrow(JsonPathLimitError)
    expect(() => compiled.select(files(20_000))).toThrow(JsonPathLimitError)
    const twice = compile(`$${'["a","a"]'.repeat(20)}`)
    expect(twice.test(objects(40))).toBe(true)
    expect(() => twice.select(objects(40))).toThrow(
      expect.objectContaining({ code: 'JSONPATH_LIMIT', limit: 'steps', maximum: 22_050 }),
    )
    expect(() => evaluate(twice.path, objects(40))).toThrow(JsonPathLimitError)
  },
  TIMEOUT_MS,
)

describe('a value may be nested as deeply as it likes', () => {
  test.each(['$..x', '$..*..x', '$[?(@..x)]', '$[?(not @..x)]', '$.a..x'])(
    '%s searches 128 levels and refuses more',
    (text) => {
      expect(() => compile(text).test(objects(128))).not.toThrow()
      expect(() => compile(text).select(objects(128))).not.toThrow()
      for (const deep of [objects(130), objects(100_000)]) {
        expect(() => compile(text).test(deep)).toThrow(
          expect.objectContaining({ code: 'JSONPATH_LIMIT', limit: 'depth', maximum: 128 }),
        )
        expect(() => compile(text).select(deep)).toThrow(JsonPathLimitError)
        expect(() => evaluate(parse(text), deep)).toThrow(JsonPathLimitError)
      }
    },
  )

  test('deep values are compared as far as the limit', () => {
    const compiled = compile('$[?($[0] = $[1])]')
    expect(compiled.test([objects(128), objects(128)])).toBe(true)
    expect(() => compiled.test([objects(100_000), objects(100_000)])).toThrow(JsonPathLimitError)
  })

  test('what does not search is not concerned', () => {
    expect(compile('$.a.a').test(objects(100_000))).toBe(true)
    expect(compile(`$${'[0]'.repeat(990)}`).test(arrays(1000))).toBe(true)
    expect(compile(`$${'[*]'.repeat(990)}`).select(arrays(1000))).toHaveLength(1)
  })

  test('nodes are counted without recursion, and no further than is asked', () => {
    expect(countNodes(objects(100_000), 1_000_000)).toBe(100_001)
    expect(countNodes(files(1000), 500)).toBe(500)
    expect(countNodes({ a: [1, 2], b: 'x' }, 100)).toBe(5)
  })
})

test('long texts are scanned within the budget', () => {
  const long = 'a'.repeat(20_000_000)
  const value = [`${long}b`, `${long}c`, long]
  expect(() => compile('$[?(@[*] contains @[*])]').test(value)).toThrow(JsonPathLimitError)
})

test('the largest expressions compile and run at once', () => {
  const terms = Array.from({ length: 390 }, (_, at) => `@.a${at} = ${at}`)
  expect(compile(`$[?(${terms.join(' and ')})]`).test({})).toBe(false)
  const compiled = compile(`$${'..*'.repeat(660)}`)
  expect(compiled.test(objects(128))).toBe(false)
  expect(compiled.select(objects(128))).toEqual([])
})
