/** What subscribers and operators can rely on. differential.test.ts says that the answers are right. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compile } from '../compile/compile.ts'
import { JsonPathLimitError, JsonPathSyntaxError } from '../errors.ts'
import { SubscriptionIndex } from './subscription-index.ts'
import { SubscriptionScan } from './subscription-scan.ts'

const TIMEOUT_MS = 300_000

const read = (name: string) =>
  readFileSync(new URL(`../../cases/pacifica/${name}`, import.meta.url), 'utf8')
const example = read('example.jsonpath2.txt').trim()
const proxymod = read('proxymod.jsonpath2.txt')
const ingested: unknown = JSON.parse(read('example.event.json'))

function indexOf(...texts: string[]): SubscriptionIndex {
  const index = new SubscriptionIndex()
  for (const text of texts) index.set(text, text)
  return index
}

/** Many that want another event; so many may wait for one atom. */
function crowd(size: number, text: (n: number) => string, most = 64): SubscriptionIndex {
  const index = new SubscriptionIndex({ crowd: most })
  for (let n = 0; n < size; n += 1) index.set(`${n}`, text(n))
  return index
}

describe.each([
  ['the index', () => new SubscriptionIndex()],
  ['brute force', () => new SubscriptionScan()],
])('%s', (_name, make) => {
  test('answers the ids in the order in which they were first set', () => {
    const subscriptions = make()
    for (const id of ['z', 'a', 'm']) subscriptions.set(id, '$.a')
    subscriptions.set('z', '$["a"]')
    expect(subscriptions.match({ a: 1 })).toEqual(['z', 'a', 'm'])
    subscriptions.delete('z')
    subscriptions.set('z', '$.a')
    expect(subscriptions.match({ a: 1 })).toEqual(['a', 'm', 'z'])
  })

  test('replaces the expression of a known id', () => {
    const subscriptions = make()
    subscriptions.set('one', '$[?(@.a = 1)]')
    subscriptions.set('one', '$[?(@.a = 2)]')
    expect(subscriptions.size).toBe(1)
    expect(subscriptions.match({ a: 1 })).toEqual([])
    expect(subscriptions.match({ a: 2 })).toEqual(['one'])
  })

  test('keeps the old expression when the new one is none', () => {
    const subscriptions = make()
    subscriptions.set('one', '$.a')
    expect(() => subscriptions.set('one', '$[?(@.a == 1)]')).toThrow(JsonPathSyntaxError)
    expect(() => subscriptions.set('two', `$${'["a"]'.repeat(2000)}`)).toThrow(JsonPathLimitError)
    expect(subscriptions.match({ a: 1 })).toEqual(['one'])
    expect(subscriptions.size).toBe(1)
  })

  test('says how many there are and how many the last match evaluated', () => {
    const subscriptions = make()
    subscriptions.set('one', '$[?(not @.a)]')
    subscriptions.set('two', '$[?(not @.b)]')
    subscriptions.match({ a: 1 })
    const { bytes, ...counts } = subscriptions.stats()
    expect(counts).toEqual({ entries: 2, indexed: 0, scanned: 2, expressions: 2, candidates: 2 })
    expect(bytes).toBeGreaterThan(0)
    expect(subscriptions.isIndexed('one')).toBe(false)
  })

  test('says whether there was something to delete', () => {
    const subscriptions = make()
    subscriptions.set('one', '$')
    expect(subscriptions.delete('one')).toBe(true)
    expect(subscriptions.delete('one')).toBe(false)
    expect(subscriptions.match({})).toEqual([])
  })

  test('reads a root that is left out as the option says', () => {
    const subscriptions = make()
    expect(() => subscriptions.set('one', 'data')).toThrow(JsonPathSyntaxError)
    subscriptions.set('one', 'data[*].key', { root: 'optional' })
    expect(subscriptions.match({ data: [{ key: 1 }] })).toEqual(['one'])
  })

  test('tells whose expression does too much work, and the others go on', () => {
    const subscriptions = make()
    const greedy = '$..substring($..*,$..*).zz'
    subscriptions.set('first', '$.data')
    subscriptions.set('greedy', greedy)
    subscriptions.set('greedy too', greedy)
    subscriptions.set('last', '$.data[0]')
    const value = { data: Array.from({ length: 2000 }, (_, n) => `text ${n}`) }
    const errors: [string, string][] = []
    const matched = subscriptions.match(value, {
      onError: (id, { code }) => errors.push([id, code]),
    })
    expect(matched).toEqual(['first', 'last'])
    expect(errors).toEqual([
      ['greedy', 'JSONPATH_LIMIT'],
      ['greedy too', 'JSONPATH_LIMIT'],
    ])
    expect(() => subscriptions.match(value)).toThrow(JsonPathLimitError)
    expect(subscriptions.match({ data: [] })).toEqual(['first'])
  })
})

describe('what cannot be looked up is a candidate for every event, and says so', () => {
  test.each([
    ['$', false],
    ['$[?(1)]', false],
    ['$[?(not @.a = 1)]', false],
    ['$[?(@.a = 1 or not @.b)]', false],
    ['$..*', false],
    ['$..[?(@ contains "x")]', false],
    ['$.length()', false],
    ['$[?($)]', false],
    ['$.a', true],
    ['$[*]', false],
    ['$[*][?(not @.a)]', false],
    ['$[*].a', true],
    ['$..a', true],
    ['$.length($.a)', false],
    ['$[?(@.a = 1 and not @.b)]', true],
    ['$[?(@.a = 1 or @.b = 2)]', true],
    ['$[?((@.a = 1 or @.b) and (@.c or not @.d))]', true],
    ['$[?(@.a = $.b.c)]', true],
    ['$[?(5 < @.a)]', true],
    ['$[?([1] = @.a)]', true],
    ['$[?(@.a contains "x")]', true],
    ['$[$.a]', true],
    ['$.a.length()', true],
    [example.replaceAll(/\s+/g, ' '), true],
    [proxymod.replaceAll(/\s+/g, ' '), true],
  ])('%s', (text, indexed) => {
    const index = indexOf(text)
    expect(index.isIndexed(text)).toBe(indexed)
    expect(index.stats()).toMatchObject(
      indexed ? { indexed: 1, scanned: 0 } : { indexed: 0, scanned: 1 },
    )
    index.match({})
    expect(index.stats().candidates).toBe(indexed ? 0 : 1)
    expect(index.isIndexed('unknown')).toBe(false)
  })
})

describe('only those are evaluated that may match', () => {
  test.each<[string, (n: number) => string, unknown, number, number]>([
    ['one member', (n) => `$[?(@.a = "${n}")]`, { a: '7' }, 1, 1],
    ['members of one item', (n) => example.replace('example-value', `value ${n}`), ingested, 0, 0],
    [
      'the same value, other keys',
      (n) => `$.data[*][?(@.key = "k${n}" and @.value = "v")]`,
      { data: [{ key: 'k3', value: 'v' }, { key: 'k4' }, { value: 'v' }] },
      1,
      1,
    ],
    [
      'filters one after the other',
      (n) => `$.data[*][?(@.key = "k")][?(@.value = ${n})]["x"]`,
      { data: [{ key: 'k', value: 3, x: 0 }] },
      1,
      1,
    ],
    ['alternatives', (n) => `$[?(@.a = ${n} or @.b = ${n})]`, { a: 5, b: 6 }, 2, 2],
    ['any item', (n) => `$.data[*][*].k[?(@ = ${n})]`, { data: [[{ k: 4 }, { k: 5 }]] }, 2, 2],
    ['anywhere', (n) => `$..[?(@.key = "k${n}")]`, { x: [[{ key: 'k9' }]] }, 1, 1],
    ['anywhere, twice', (n) => `$..a..b[?(@ = ${n})]`, { a: [{ a: [{ b: 9 }] }] }, 1, 1],
    ['arrays', (n) => `$[?(@.a = [${n}, {"b": 1, "a": true}])]`, { a: [5, { a: 1, b: 1 }] }, 1, 1],
    ['above', (n) => `$[?(@.a[*] > ${n})]`, { a: [3, 'x', 5, 1] }, 6, 5],
    ['below', (n) => `$[?(${n} >= @.a)]`, { a: 997 }, 3, 3],
    ['names', (n) => `$.data["name ${n}"]`, { data: { 'name 8': null } }, 1, 1],
    [
      'sub-queries',
      (n) => `$[?(@.a[*] = $.b[?(@.c = ${n})].d)]`,
      { a: [1], b: { c: 8, d: 1 } },
      1,
      1,
    ],
    ['parameters', (n) => `$[?(not @.x and @.b = "${n}")]`, { b: '8', x: 1 }, 1, 0],
    [
      'names of other names',
      (n) => `$.map[$.keys["k${n}"]]`,
      { map: { x: 1 }, keys: { k4: 'x' } },
      1,
      1,
    ],
  ])('%s', (_name, text, value, candidates, matches) => {
    const index = crowd(1000, text)
    expect(index.match(value)).toHaveLength(matches)
    expect(index.stats()).toMatchObject({ indexed: 1000, candidates })
  })

  test(
    'among twenty thousand, ten that match cost ten evaluations',
    () => {
      const index = crowd(20_000, (n) =>
        example.replace('example-value', `value ${n}`).replace('C234', `${n}`),
      )
      for (let n = 0; n < 10; n += 1)
        index.set(`ours ${n}`, `${example.slice(0, -2)} and not @.n${n})]`)
      expect(index.match(ingested)).toHaveLength(10)
      const { entries, candidates, scanned, bytes } = index.stats()
      expect({ entries, candidates, scanned }).toEqual({
        entries: 20_010,
        candidates: 10,
        scanned: 0,
      })
      expect(bytes).toBeLessThan(entries * 2048)
    },
    TIMEOUT_MS,
  )

  test('equal values are found as the dialect compares them', () => {
    const pairs: [string, unknown][] = [
      ['1', true],
      ['0', false],
      ['0', -0],
      ['-0', 0],
      ['true', 1],
      ['1.0', 1],
      ['1e400', Number.POSITIVE_INFINITY],
      ['9007199254740993', 2 ** 53],
      ['null', null],
      ['"\\u0041"', 'A'],
      ['[true, {"b": 0, "a": []}]', [1, { a: [], b: false }]],
    ]
    for (const [literal, value] of pairs) {
      const index = indexOf(`$[?(@.a = ${literal})]`, `$[?(${literal} = @.a and @.b = 2)]`)
      expect(index.match({ a: value, b: 2 })).toHaveLength(2)
    }
  })

  test('names of Object.prototype are members only where the event has them', () => {
    const names = ['__proto__', 'constructor', 'toString', '', 'hasOwnProperty']
    const index = indexOf(...names.map((name) => `$[?(@["${name}"] = 1 and @["x"] = 1)]`))
    expect(index.match({ x: 1 })).toEqual([])
    expect(index.stats().candidates).toBe(0)
    for (const name of names) {
      const value: unknown = JSON.parse(`{"${name}":1,"x":1}`)
      expect(index.match(value)).toEqual([`$[?(@["${name}"] = 1 and @["x"] = 1)]`])
    }
  })
})

describe('the same expression of many subscribers is one', () => {
  test('whatever its spelling', () => {
    const index = indexOf('$.a', '$ . a', '$["a"]', '$["\\u0061"]', '$.b')
    expect(index.stats()).toMatchObject({ entries: 5, expressions: 2 })
    expect(index.match({ a: 1 })).toHaveLength(4)
    expect(index.stats().candidates).toBe(1)
    for (const text of ['$.a', '$["a"]', '$ . a']) index.delete(text)
    expect(index.match({ a: 1 })).toEqual(['$["\\u0061"]'])
  })

  test('and evaluated once when it cannot be looked up either', () => {
    const index = crowd(1000, () => '$[?(not @.a)]')
    expect(index.match({})).toHaveLength(1000)
    expect(index.stats()).toMatchObject({ scanned: 1000, candidates: 1 })
    for (let n = 0; n < 1000; n += 1) index.delete(`${n}`)
    expect(index.stats()).toMatchObject({ scanned: 0, expressions: 0, entries: 0 })
  })
})

describe('what is found in vain again and again waits somewhere else', () => {
  test('a file that every event has gives way to the type that none has', () => {
    const index = crowd(2000, (n) => `$[?(@.often = "${n % 2}" and @.seldom[*] > ${n})]`, 2000)
    const value = { often: '1', seldom: [3] }
    index.match(value)
    expect(index.stats().candidates).toBeGreaterThan(100)
    for (let n = 0; n < 1500; n += 1) expect(index.match(value)).toEqual(['1'])
    expect(index.stats().candidates).toBeLessThan(20)
    expect(index.match({ often: '1', seldom: [1999.5] })).toHaveLength(1000)
  })

  test('one that has no better place stays where it is', () => {
    const index = indexOf('$[?(@.a = 1 and not @.b)]')
    for (let n = 0; n < 500; n += 1) expect(index.match({ a: 1, b: 1 })).toEqual([])
    expect(index.match({ a: 1 })).toHaveLength(1)
  })
})

describe('those that share what they are found by are told apart by something else', () => {
  const ofType = (n: number) => `$[?(@.type = "t" and @.data[*].size > ${n})]`

  test('at first sight', () => {
    const index = crowd(5000, ofType)
    for (let n = 0; n < 95_000; n += 1000) index.set(`other ${n}`, `$[?(@.type = "t${n}")]`)
    expect(index.match({ type: 't', data: [{ size: 2.5 }] })).toEqual(['0', '1', '2'])
    expect(index.stats().candidates).toBe(3)
    expect(index.match({ type: 'u', data: [{ size: 9000 }] })).toEqual([])
    expect(index.stats().candidates).toBe(0)
  })

  test('also by a third, where two are shared', () => {
    const text = (n: number) => `$[?(@.type = "t" and @.source = "s${n % 2}" and @.n[*] > ${n})]`
    const index = crowd(1000, text)
    for (let n = 0; n < 1000; n += 1) index.set(`other ${n}`, `$[?(@.type = "${n}")]`)
    expect(index.match({ type: 't', source: 's1', n: [3] })).toEqual(['1'])
    expect(index.stats().candidates).toBeLessThan(10)
  })

  test('and those of whom nothing else is known are found all the same', () => {
    const index = crowd(200, (n) => `$[?(@.type = "t" and not @.a${n})]`)
    expect(index.match({ type: 't', a7: 1 })).toHaveLength(199)
    for (let n = 0; n < 200; n += 1) index.set(`${n}`, ofType(n))
    expect(index.match({ type: 't', data: [{ size: 4.5 }] })).toHaveLength(5)
    for (let n = 0; n < 200; n += 1) index.delete(`${n}`)
    expect(index.stats()).toMatchObject({ entries: 0, indexed: 0, expressions: 0 })
    expect(index.match({ type: 't' })).toEqual([])
  })
})

describe('memory', () => {
  test('what comes and goes leaves nothing behind', () => {
    const index = new SubscriptionIndex({ compiledBytes: 50_000 })
    const empty = index.stats().bytes
    const texts = (n: number) => [
      example.replace('example-value', `value ${n}`),
      `$.data["name ${n}"]..[?(@ = [${n}] or @ > ${n} or @.x${n} = 1)]`,
      `$..[?(@.a${n} = 1 and @.b${n} = 2)]`,
      `$[?(not @.a${n})]`,
    ]
    for (let n = 0; n < 500; n += 1) {
      texts(n).forEach((text, at) => {
        index.set(`${at}`, text)
      })
      index.match({ a: 1, data: { 'name 7': [1] } })
    }
    for (let at = 0; at < 4; at += 1) index.delete(`${at}`)
    const { entries, expressions, bytes } = index.stats()
    expect({ entries, expressions }).toEqual({ entries: 0, expressions: 0 })
    expect(bytes - empty).toBeLessThan(64 * 1024) // how often atoms are mentioned
  })

  test('few compiled expressions are kept, and the answers are the same', () => {
    const few = new SubscriptionIndex({ compiledBytes: 20_000 })
    for (let n = 0; n < 50; n += 1) few.set(`${n}`, `$[?(not @.a = ${n})]`)
    for (let n = 0; n < 50; n += 1) {
      expect(few.match({ a: n })).toHaveLength(49)
      if (n % 5 === 0) few.delete(`${n}`)
      if (n % 5 === 0) few.set(`${n}`, `$[?(not @.a = ${n})]`)
      expect(few.stats().bytes).toBeLessThan(100_000)
    }
  })
})

test('an expression is charged alone for what it shares with others', () => {
  const text = '$[?($.data[*][?(@.a = $.data[*].b)].c and $.data[*].d = 5 and @.e)]'
  const value = {
    data: Array.from({ length: 20 }, (_, n) => ({ a: n, b: 19 - n, c: 1, d: n })),
    e: 1,
  }
  const passes = (steps: number, make: typeof alone) => {
    try {
      return make(steps)
    } catch (error) {
      if (error instanceof JsonPathLimitError) return false
      throw error
    }
  }
  const alone = (steps: number) =>
    compile(text, { limits: { baseSteps: steps, maxSteps: steps } }).test(value)
  const together = (steps: number) => {
    const index = new SubscriptionIndex({ limits: { baseSteps: steps, maxSteps: steps } })
    index.set('other', '$[?($.data[*].b = 3 and $.data[*].d = 5)]')
    index.set('another', '$[?($.data[*][?(@.a = $.data[*].b)].c)]')
    index.set('it', text)
    return index.match(value, { onError: () => undefined }).includes('it')
  }
  const costs = Array.from({ length: 600 }, (_, steps) => passes(steps, alone))
  expect(costs.indexOf(true)).toBeGreaterThan(100)
  expect(Array.from({ length: 600 }, (_, steps) => together(steps))).toEqual(costs)
})

test('hostile expressions are set and matched at once', () => {
  const index = new SubscriptionIndex()
  const terms = (count: number, term: (n: number) => string, join: string) =>
    Array.from({ length: count }, (_, n) => term(n)).join(join)
  index.set('and', `$[?(${terms(390, (n) => `@.a${n} = ${n}`, ' and ')})]`)
  index.set('or', `$[?(${terms(390, (n) => `@.a${n} = ${n}`, ' or ')})]`)
  index.set('filters', `$${terms(240, (n) => `[?(@.a${n} = 1)]`, '')}`)
  index.set('searches', `$[?(not @${'..*'.repeat(600)}.zz)]`)
  index.set('unions', `$${'["a","a"]'.repeat(400)}`)
  index.set('deep', `$${'.a'.repeat(900)}`)
  for (let n = 0; n < 200; n += 1) index.set(`own ${n}`, `$[?(@.x${n} = 1 and @.y${n} = 1)]`)
  let deep: unknown = { a: 1 }
  for (let level = 0; level < 50_000; level += 1) deep = { a: deep }
  const errors: string[] = []
  expect(index.match(deep, { onError: (id) => errors.push(id) })).toContain('deep')
  expect(index.match({ x7: 1, y7: 1, a3: 3 })).toEqual(['or', 'searches', 'own 7'])
  expect(errors).toContain('searches')
})

test(
  'any sequence of changes leaves the index equal to brute force',
  () => {
    const id = fc.constantFrom('a', 'b', 'c', 'd', 'e')
    const text = fc.constantFrom(
      ...[
        '$',
        '$.a',
        '$.a[*]',
        '$..a',
        '$[?(@.a = 1)]',
        '$[?(@.a = true)]',
        '$[?(@.a = 1 and @.b = 2)]',
      ],
      ...[
        '$[?(not @.a)]',
        '$[?(@.a > 0 or @.b = [1])]',
        '$[?(@.a = 1 and @.b > 1)]',
        '$.b[?(@ = [1])]',
      ],
      ...['$[?(@.a = 1 or @.a = 1)]', '$["a","b"]', 'nonsense'],
    )
    const value = fc.constantFrom<unknown>(
      ...[
        1,
        {},
        { a: 1 },
        { a: 1, b: 2 },
        { a: [1], b: [1] },
        { b: [true] },
        { a: 0, b: 3 },
        [{ a: 1 }],
      ],
    )
    const change = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), id, text }),
      fc.record({ kind: fc.constant('delete' as const), id }),
      fc.record({ kind: fc.constant('match' as const), value, times: fc.constantFrom(1, 1, 40) }),
    )
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const [index, scan] = [
          new SubscriptionIndex({ compiledBytes: 6000 }),
          new SubscriptionScan(),
        ]
        for (const one of changes) {
          const [found, wanted] = [index, scan].map((subscriptions) => {
            if (one.kind === 'delete') return subscriptions.delete(one.id)
            if (one.kind === 'set') return outcome(() => subscriptions.set(one.id, one.text))
            for (let left = one.times; left > 1; left -= 1) subscriptions.match(one.value)
            return subscriptions.match(one.value)
          })
          expect(found).toEqual(wanted)
          const { entries, indexed, scanned } = index.stats()
          expect([entries, indexed + scanned]).toEqual([scan.size, scan.size])
        }
      }),
      { numRuns: 2000 },
    )
  },
  TIMEOUT_MS,
)

function outcome(act: () => void): string {
  try {
    act()
    return 'set'
  } catch (error) {
    if (error instanceof JsonPathSyntaxError) return error.message
    throw error
  }
}
