import { Event, TransactionKeyValue } from '@pacifica/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { chainOf, PROVENANCE_KEYS, provenanceOf, withProvenance } from './provenance.ts'

function eventWith(data: unknown): Event {
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: 'org.pacifica.metadata.ingest',
      source: '/pacifica/metadata/ingest',
      eventID: 'E-1',
      data,
    }),
  )
}

const notesOf = (data: unknown) =>
  provenanceOf({ dispatcher: 'example', taskId: 'T-1', events: [eventWith(data)] }).map(
    ({ key, value }) => [key, value],
  )

const chained = (value: unknown) => ({
  destinationTable: 'TransactionKeyValue',
  key: PROVENANCE_KEYS.chain,
  value,
})

test('a result names its task, the transaction it was made from and its dispatcher', () => {
  expect(notesOf([{ destinationTable: 'Transactions._id', value: 67 }])).toEqual([
    [PROVENANCE_KEYS.task, 'T-1'],
    [PROVENANCE_KEYS.sourceTransaction, '67'],
    [PROVENANCE_KEYS.chain, 'example'],
  ])
})

test('the chain grows by one dispatcher with each result made from a result', () => {
  const first = chained('a,b')
  expect(notesOf([first])).toContainEqual([PROVENANCE_KEYS.chain, 'a,b,example'])
  expect(chainOf(eventWith([first]))).toEqual(['a', 'b'])
})

test('a dispatcher that works on its own results stands in the chain once', () => {
  expect(notesOf([chained('a,example,b')])).toContainEqual([PROVENANCE_KEYS.chain, 'a,example,b'])
})

test('a long chain is several values that Metadata can hold, and is read whole again', () => {
  const names = Array.from({ length: 9 }, (_, index) => `${index}`.repeat(64))
  const values = notesOf(names.map(chained))
    .filter(([key]) => key === PROVENANCE_KEYS.chain)
    .map(([, value]) => String(value))
  expect(values.length).toBeGreaterThan(1)
  expect(values.every((value) => value.length <= 255)).toBe(true)
  expect(chainOf(eventWith(values.map(chained)))).toEqual([...names, 'example'])
})

test('a chain that somebody made very long does not make results very long', () => {
  const names = Array.from({ length: 100_000 }, (_, index) => `d${index}`)
  const notes = notesOf([chained(names.join(','))])
  expect(JSON.stringify(notes).length).toBeLessThan(2_000)
  expect(notes.at(-1)?.[1]).toMatch(/,d99999,example$/)
})

test.each([
  ['no text', 7],
  ['null', null],
  ['a list', ['a', 'b']],
  ['an object', { a: 'b' }],
  ['empty', ''],
  ['commas', ',,,'],
  ['words', 'n/a: not through any dispatcher'],
  ['a name in another spelling', 'Example'],
  ['longer than any name', 'x'.repeat(65)],
])('a chain whose value is %s names nobody', (_what, value) => {
  expect(chainOf(eventWith([chained(value)]))).toEqual([])
})

test('one faulty key-value does not hide the chain, and blanks around a name do not either', () => {
  const faulty = { destinationTable: 'TransactionKeyValue', key: { no: 'key' }, value: [1] }
  const nameless = chained('n/a')
  const entries = [faulty, null, 'text', nameless, chained(' a , b ')]
  expect(chainOf(eventWith(entries))).toEqual(['a', 'b'])
})

test('whatever stands in an event, its chain and its notes can be read', () => {
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.array(fc.oneof(fc.jsonValue(), fc.jsonValue().map(chained))),
  )
  fc.assert(
    fc.property(anything, (data) => {
      expect(chainOf(eventWith(data)).every((name) => /^[a-z0-9-]{1,64}$/.test(name))).toBe(true)
      expect(notesOf(data).at(-1)?.[1]).toMatch(/(^|,)example(,|$)/)
    }),
  )
})

test("a handler that hands on its input's key-values does not hand on its provenance", () => {
  const given = [['tag', 'a'], ...notesOf([chained('a')])].map(
    ([key, value]) => new TransactionKeyValue({ key: String(key), value: value as string }),
  )
  const ours = [new TransactionKeyValue({ key: PROVENANCE_KEYS.chain, value: 'a,b' })]
  expect(withProvenance(given, ours).map(({ key, value }) => [key, value])).toEqual([
    ['tag', 'a'],
    [PROVENANCE_KEYS.chain, 'a,b'],
  ])
})

test.each([
  ['no list', { obj_type: 'Files' }],
  ['nothing', null],
  [
    'an attribute given twice',
    [1, 2].map((value) => ({ destinationTable: 'Transactions._id', value })),
  ],
])('an event whose data is %s has notes as well', (_name, data) => {
  expect(notesOf(data)).toEqual([
    [PROVENANCE_KEYS.task, 'T-1'],
    [PROVENANCE_KEYS.chain, 'example'],
  ])
})

test('what is made of several events names all of their transactions and dispatchers, each once', () => {
  const about = (id: number, chain: string) =>
    eventWith([{ destinationTable: 'Transactions._id', value: id }, chained(chain)])
  const events = [about(67, 'a,b'), about(70, 'b,c'), about(67, 'a')]
  const notes = provenanceOf({ dispatcher: 'example', taskId: 'T-1', events })
  expect(notes.map(({ key, value }) => [key, value])).toEqual([
    [PROVENANCE_KEYS.task, 'T-1'],
    [PROVENANCE_KEYS.sourceTransaction, '67'],
    [PROVENANCE_KEYS.sourceTransaction, '70'],
    [PROVENANCE_KEYS.chain, 'a,b,c,example'],
  ])
})
