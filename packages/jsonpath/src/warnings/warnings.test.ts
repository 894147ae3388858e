import { describe, expect, test } from 'vitest'
import { compile } from '../compile/compile.ts'

describe('what is legal and probably not meant gives a warning', () => {
  test.each([
    ['$[?(@.p or @.q and @.r)]', ['MIXED_AND_OR'], 4],
    ['$[?(@.r and @.p or @.q)]', ['MIXED_AND_OR'], 12],
    ['$[?(@.v[*] != 1)]', ['UNEQUAL_TO_SOME'], 4],
    ['$[?(1 != @..v)]', ['UNEQUAL_TO_SOME'], 4],
    ['$[?(not @.v[0:2] != 1)]', ['UNEQUAL_TO_SOME'], 8],
    ['$.data[?(@.key = "x")]', ['FILTER_ON_ARRAY'], 7],
    ['$[?(@["data"][?(@.key = "x")])]', ['FILTER_ON_ARRAY'], 14],
    ['$[?($.list[*].a and $.list[?(@.b)])]', ['FILTER_ON_ARRAY'], 27],
    [
      '$.data[?(@.x or @.y and @.z[*] != 1)]',
      ['FILTER_ON_ARRAY', 'MIXED_AND_OR', 'UNEQUAL_TO_SOME'],
      7,
    ],
  ])('%s', (text, codes, offset) => {
    const { warnings } = compile(text)
    expect(warnings.map(({ code }) => code)).toEqual(codes)
    expect(warnings[0]?.offset).toBe(offset)
    expect(warnings[0]?.message).not.toBe('')
  })
})

describe('what is plainly meant gives none', () => {
  test.each([
    '$[?((@.p or @.q) and @.r)]',
    '$[?(@.p and @.q and @.r)]',
    '$[?(@.v != 1)]',
    '$[?(@.list[0].v != 1)]',
    '$.data[*][?(@.key = "x")]',
    '$.data[0][?(@.key = "x")]',
    '$.data[?(@[*].key = "x")]',
    '$.address[?(@.city = "x")]',
    '$..data[?(@.key = "x")]',
  ])('%s', (text) => {
    expect(compile(text).warnings).toEqual([])
  })
})

describe('in rfc9535, what means something else than in jsonpath2 gives a warning', () => {
  test.each([
    ["$[?@.eventType == 'x']", ['FILTER_ON_CHILDREN'], 2],
    ["$.data[*][?@.key == 'x']", ['FILTER_ON_CHILDREN'], 10],
    ["$[?$.data[*][?@.key == 'x']]", ['FILTER_ON_CHILDREN'], 13],
    ['$[?$.a || $.b && $.c]', ['MIXED_AND_OR'], 10],
    ["$.data[?@.key != 'x']", ['UNEQUAL_OR_MISSING'], 8],
    ["$.data[?match(@.key, 'x(')]", ['PATTERN_INVALID'], 21],
    ['$.data[?match(@.key, 5)]', ['PATTERN_INVALID'], 21],
  ])('%s', (text, codes, offset) => {
    const { warnings } = compile(text, { dialect: 'rfc9535' })
    expect(warnings.map(({ code }) => code)).toEqual(codes)
    expect(warnings[0]?.offset).toBe(offset)
    expect(warnings[0]?.message).not.toBe('')
  })

  test.each([
    "$[?$.eventType == 'x']",
    "$.data[?@.key == 'x' && @.value == 5]",
    "$.data[?@.key && @.key != 'x']",
    '$.data[*][?@ == 5]',
    "$[?@[?@.key == 'x']]",
    '$[?($.a || $.b) && $.c]',
    "$.data[?match(@.key, 'x.*')]",
    "$..[?@.key == 'x']",
  ])('%s gives none', (text) => {
    expect(compile(text, { dialect: 'rfc9535' }).warnings).toEqual([])
  })
})
