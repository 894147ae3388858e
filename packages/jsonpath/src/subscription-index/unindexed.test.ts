import { describe, expect, test } from 'vitest'
import { type Dialect, parse } from '../parse.ts'
import { SubscriptionIndex } from './subscription-index.ts'
import { unindexedPart } from './unindexed.ts'

describe('what keeps an expression out of the index is named', () => {
  test.each<[Dialect, string, string, number]>([
    ['jsonpath2', '$', '$', 0],
    ['jsonpath2', '$[?(not @.a)]', 'not @["a"]', 4],
    ['jsonpath2', '$[?(@.a = 1 or not @.b)]', 'not @["b"]', 15],
    ['jsonpath2', '$[?((@.a = 1 or @.c = 2 or 1) or @.b)]', '1', 27],
    ['jsonpath2', '$..[?(@ contains "x")]', '@ contains "x"', 6],
    ['jsonpath2', '$[*][?(not @.a)]', 'not @["a"]', 7],
    ['rfc9535', '$', '$', 0],
    ['rfc9535', '$[?!$.a]', '!$["a"]', 3],
    ['rfc9535', "$[?$.a == 1 || $.b != 'x']", '$["b"] != "x"', 15],
    ['rfc9535', '$[?$.a == $.b]', '$["a"] == $["b"]', 3],
    ['rfc9535', '$[?count($..a) < 5]', 'count($..["a"]) < 5', 3],
  ])('%s: %s', (dialect, text, part, offset) => {
    expect(unindexedPart(parse(text, { dialect }), dialect)).toEqual({ text: part, offset })
    const index = new SubscriptionIndex()
    index.set('it', text, { dialect })
    expect(index.isIndexed('it')).toBe(false)
  })
})

describe('of rfc9535 the index knows what must hold', () => {
  test.each([
    "$[?$.eventType == 'x']",
    "$[?'x' == $.eventType]",
    "$.data[?@.key == 'a' && @.value == 5]",
    '$[?$.size > 5]',
    '$[?$.size <= 5]',
    '$[?$.a < $.b]',
    "$[?match($.eventType, 'org.*')]",
    '$[?length($.name) > 3]',
    '$[?count($.data[*]) > 0]',
    "$[?value($.data[0]) == 'x']",
    '$[?$.a == null]',
    "$[?$.data[?@.key == 'a'] || $.b]",
  ])('%s', (text) => {
    expect(unindexedPart(parse(text, { dialect: 'rfc9535' }), 'rfc9535')).toBeUndefined()
  })

  test('among ten thousand, those that match are found and few else', () => {
    const index = new SubscriptionIndex()
    for (let n = 0; n < 10_000; n += 1) {
      const text = `$[?$.type == 't' && $.data[?@.key == 'site' && @.value == ${n}]]`
      index.set(`${n}`, text, { dialect: 'rfc9535' })
    }
    const value = {
      type: 't',
      data: [
        { key: 'site', value: 7 },
        { key: 'site', value: 8 },
      ],
    }
    expect(index.match(value)).toEqual(['7', '8'])
    expect(index.stats().candidates).toBe(2)
  })

  test('equal texts of the two dialects are two expressions', () => {
    const index = new SubscriptionIndex()
    index.set('old', '$.data[::-1]')
    index.set('new', '$.data[::-1]', { dialect: 'rfc9535' })
    expect(index.match({ data: [1] })).toEqual(['new'])
  })
})
