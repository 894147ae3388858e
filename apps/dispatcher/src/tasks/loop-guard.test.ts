import { Event } from '@pacifica/core'
import { expect, test } from 'vitest'
import { MAX_CHAIN, refusalOf } from './loop-guard.ts'
import { PROVENANCE_KEYS } from './provenance.ts'

/** An event about data that has been through these dispatchers. */
function eventAfter(names: readonly string[]): Event {
  const chain = { destinationTable: 'TransactionKeyValue', key: PROVENANCE_KEYS.chain }
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: 'org.pacifica.metadata.ingest',
      source: '/pacifica/metadata/ingest',
      eventID: 'E-1',
      data: [{ ...chain, value: names.join(',') }],
    }),
  )
}

const others = (count: number) => Array.from({ length: count }, (_, index) => `other-${index}`)

test('data that no dispatcher, or only others, have worked on is taken', () => {
  expect(refusalOf(eventAfter([]), 'a')).toBeUndefined()
  expect(refusalOf(eventAfter(['b', 'c', 'ab', 'a-1']), 'a')).toBeUndefined()
})

test.each([[['a']], [['a', 'b']], [['b', 'a', 'c']]])(
  'data that has been through %s is refused by a, which says how and what to do',
  (chain) => {
    const refusal = refusalOf(eventAfter(chain), 'a')
    expect(refusal).toMatchObject({ name: 'LoopGuardError', code: 'LOOP_GUARD', chain })
    expect(refusal?.message).toContain('result of this dispatcher, a,')
    expect(refusal?.message).toContain(`the chain: ${chain.join(' → ')}`)
    expect(refusal?.message).toContain('allowLoops: true')
  },
)

test('data that has been through more than 8 dispatchers is refused by whomever', () => {
  expect(MAX_CHAIN).toBe(8)
  expect(refusalOf(eventAfter(others(8)), 'a')).toBeUndefined()
  expect(refusalOf(eventAfter(others(9)), 'a')?.message).toContain('has been through 9 dispatchers')
})

test('of a join each event has its own chain: results of many dispatchers may come together', () => {
  const results = others(10).map((name) => eventAfter([name]))
  expect(refusalOf(results, 'a')).toBeUndefined()
  expect(refusalOf([...results, eventAfter(['b', 'a'])], 'a')?.chain).toEqual(['b', 'a'])
  expect(refusalOf([...results, eventAfter(others(9))], 'a')?.chain).toHaveLength(9)
})

test('a refusal stays readable however long the chain is', () => {
  const refusal = refusalOf(eventAfter(others(50_000)), 'a')
  expect(refusal?.message).toContain('and 49984 more')
  expect(refusal?.message.length).toBeLessThan(1_500)
})
