import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile } from '../compile/compile.ts'
import { explain } from './explain.ts'

const data = [
  { destinationTable: 'Transactions._id', value: 67 },
  { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 'Blah' },
  { destinationTable: 'TransactionKeyValue', key: 'Taxon', value: 'Spruce' },
  { destinationTable: 'Files', name: 'foo.txt', mimetype: 'text/plain' },
]
const members = { cloudEventsVersion: '0.1', eventType: 'ingest', source: '/s', eventID: '1' }
const event = { ...members, extensions: {}, data }
const why = (jsonpath: string) => explain(compile(jsonpath), event)

test('a match gives the values, in order', () => {
  const matched = why('$.data[*].name')
  expect(matched).toMatchObject({ matches: true, count: 1, values: ['foo.txt'], failed: null })
})

test('a member that is not there: the path so far, and the keys that stood there', () => {
  expect(why('$.extensions.site.name').failed).toMatchObject({
    clause: '["site"]',
    offset: 12,
    reached: '$["extensions"]',
    count: 1,
    found: [{ kind: 'object', members: 0, keys: [] }],
  })
  expect(why('$.dta').failed?.found[0]).toMatchObject({
    keys: ['cloudEventsVersion', 'eventType', 'source', 'eventID', 'extensions', 'data'],
  })
})

test('a list where an object was meant is said to be one', () => {
  const { failed } = why('$.data.name')
  expect(failed).toMatchObject({ reached: '$["data"]', found: [{ kind: 'list', items: 4 }] })
  expect(failed?.message).toContain('[*]')
})

test('of an and it is the first conjunct that nothing passed, with what stood there', () => {
  const { failed } = why('$.data[*][?(@.key = "Taxon" and @.value = "Oak")]')
  expect(failed).toMatchObject({
    clause: '@["value"] = "Oak"',
    count: 1,
    operands: [{ path: '@["value"]', count: 1, values: [{ kind: 'text', value: 'Spruce' }] }],
  })
  expect(failed?.reached).toContain('"Taxon"')
})

test('of an or it is every alternative', () => {
  const { failed } = why('$[?(@.eventType = "a" or @.source = "b")]')
  expect(failed?.because).toMatchObject([
    { clause: '@["eventType"] = "a"', operands: [{ values: [{ value: 'ingest' }] }] },
    { clause: '@["source"] = "b"', operands: [{ values: [{ value: '/s' }] }] },
  ])
})

test('of a not it is what it denied', () => {
  const { failed } = why('$[?(not @.eventType = "ingest")]')
  expect(failed).toMatchObject({
    clause: 'not @["eventType"] = "ingest"',
    operands: [{ path: '@["eventType"]', values: [{ value: 'ingest' }] }],
  })
})

test('a path in a filter that ends early says where', () => {
  const { failed } = why('$[?(@.data[*].size > 5 and @.source)]')
  expect(failed).toMatchObject({
    clause: '@["data"][*]["size"] > 5',
    operands: [{ count: 0 }],
    because: [{ clause: '["size"]', count: 4 }],
  })
  expect(failed?.message).toContain('@["data"][*]["size"] selects nothing')
  expect(why('$[?(@.extensions.site)]').failed?.because).toMatchObject([{ clause: '["site"]' }])
})

test('a path from the root inside a filter is followed from the root', () => {
  const { failed } = why('$.data[*][?($.source = "/other" and @.key)]')
  expect(failed).toMatchObject({
    clause: '$["source"] = "/other"',
    operands: [{ path: '$["source"]', values: [{ value: '/s' }] }],
  })
})

test('a filter on a search looks at everything that the search reaches', () => {
  const { failed } = why('$..[?(@.key = "Tag" and @.value = "x")]')
  expect(failed).toMatchObject({
    clause: '@["value"] = "x"',
    count: 1,
    operands: [{ values: [{ value: 'Blah' }] }],
  })
})

test('long texts and many values are cut', () => {
  const large = { ...members, data: Array.from({ length: 3000 }, () => 'y'.repeat(300)) }
  const all = explain(compile('$.data[*]'), large)
  expect(all).toMatchObject({ matches: true, count: 3000, truncated: true })
  expect(JSON.stringify(all.values).length).toBeLessThan(300_000)
  const none = explain(compile('$.data[*][?(@ = "z")]'), large)
  expect(none.failed).toMatchObject({ count: 3000 })
  expect(none.failed?.found).toHaveLength(5)
  expect(JSON.stringify(none).length).toBeLessThan(10_000)
})

test('an expression over its budget says so', () => {
  const wide = Array.from({ length: 5000 }, (_, n) => ({ name: `file ${n}`, key: 'x' }))
  const large = { ...members, data: wide }
  const costly = compile('$..substring($..*,$..*).zz')
  const { matches, error } = explain(costly, large)
  expect(matches).toBeNull()
  expect(error).toMatch(/cannot be evaluated.*too much work/)
})

test('a match whose values cannot be listed is still a match', () => {
  const nested = Array.from({ length: 40 }).reduce<object>((inside) => ({ a: inside }), {})
  const deep = { ...members, data: nested }
  const twice = compile(`$.data${'["a","a"]'.repeat(20)}`)
  expect(explain(twice, deep)).toMatchObject({
    matches: true,
    values: [],
    truncated: true,
    error: expect.stringContaining('too much work'),
  })
})

test('an explanation costs no more than a few matches', () => {
  const many = Array.from({ length: 300 }, (_, n) => `@.a${n} = ${n}`)
  const alternatives = why(`$.data[*][?(${many.join(' or ')})]`)
  expect(alternatives.failed?.because).toHaveLength(20)
  const alternative = `(@.key and (${many.slice(0, 15).join(' or ')}))`
  const nested = Array.from({ length: 10 }, () => alternative).join(' or ')
  const within = why(`$.data[*][?(${nested})]`)
  expect(within).toMatchObject({ matches: false, failed: null })
  expect(within.error).toContain('too much work')
})

test('a long conjunction is no trouble', () => {
  const terms = Array.from({ length: 390 }, (_, n) => `not @.a${n}`)
  const { failed } = why(`$.data[*][?(${terms.join(' and ')} and @.zz)]`)
  expect(failed).toMatchObject({ clause: '@["zz"]', count: 4 })
})

/** Real expressions, on the real event that each file of the language's cases stands beside. */
const CASES = new URL('../../cases/pacifica/', import.meta.url)
test.each([
  ['example.jsonpath2.txt', 'proxymod.event.json'],
  ['proxymod.jsonpath2.txt', 'example.event.json'],
])('%s on %s: matched or explained', (expression, sample) => {
  const text = readFileSync(new URL(expression, CASES), 'utf8').trim()
  const real = JSON.parse(readFileSync(new URL(sample, CASES), 'utf8'))
  const told = explain(compile(text), real)
  expect(told.matches === true ? told.count : told.failed?.message).toBeTruthy()
})

const name = fc.constantFrom('eventType', 'data', 'key', 'value', 'nothing')
const atom = fc
  .tuple(name, fc.constantFrom('=', '!=', 'contains'), fc.constantFrom('"ingest"', '"Tag"', '1'))
  .map(([member, operator, literal]) => `@.${member} ${operator} ${literal}`)
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: 'small' },
    atom,
    name.map((member) => `@..${member}`),
    tie('condition').map((term) => `not (${term})`),
    fc
      .tuple(tie('condition'), fc.constantFrom('and', 'or'), tie('condition'))
      .map(([one, word, other]) => `(${one}) ${word} (${other})`),
  ),
}))
const step = fc.oneof(
  name.map((member) => `.${member}`),
  fc.constantFrom('[*]', '[0]', '..*', '[1:3]'),
  condition.map((text) => `[?(${text})]`),
  condition.map((text) => `..[?(${text})]`),
)

test('whatever matches has values, whatever does not has a clause that nothing passed', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 4 }), (steps) => {
      const { matches, count, failed } = why(`$${steps.join('')}`)
      if (matches === true) expect(count).toBeGreaterThan(0)
      else expect(failed?.count, 'something stood there').toBeGreaterThan(0)
    }),
    { numRuns: 500 },
  )
})

const whyRfc = (jsonpath: string) => explain(compile(jsonpath, { dialect: 'rfc9535' }), event)

test('in rfc9535 a filter is explained by the children that it asked', () => {
  expect(whyRfc("$.data[?@.key == 'Tag'].value")).toMatchObject({ matches: true, values: ['Blah'] })
  const { failed } = whyRfc("$.data[?@.key == 'Taxon' && @.value == 'Oak']")
  expect(failed).toMatchObject({
    clause: '@["value"] == "Oak"',
    offset: 28,
    reached: '$["data"][?@["key"] == "Taxon"]',
    count: 1,
    operands: [{ path: '@["value"]', values: [{ kind: 'text', value: 'Spruce' }] }],
  })
  expect(whyRfc("$[?$.eventType == 'a' || !$.data]").failed?.because).toMatchObject([
    { clause: '$["eventType"] == "a"', reached: '$[*]' },
    { clause: '!$["data"]', message: expect.stringContaining("'!'") },
  ])
  expect(whyRfc("$.data[?match(@.name, 'x.*')]").failed).toMatchObject({
    clause: 'match(@["name"],"x.*")',
    operands: [{ path: '@["name"]', values: [{ value: 'foo.txt' }] }],
  })
  expect(whyRfc('$.extensions[?@.x]').failed).toMatchObject({ clause: '[*]', count: 1 })
})
