import { Event } from '@pacifica/core'
import { expect, test } from 'vitest'
import { chainOf, PROVENANCE_KEYS, provenanceOf } from './provenance.ts'

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
  provenanceOf({ dispatcher: 'example', taskId: 'T-1', event: eventWith(data) }).map(
    ({ key, value }) => [key, value],
  )

test('a result names its task, the transaction it was made from and its dispatcher', () => {
  expect(notesOf([{ destinationTable: 'Transactions._id', value: 67 }])).toEqual([
    [PROVENANCE_KEYS.task, 'T-1'],
    [PROVENANCE_KEYS.sourceTransaction, '67'],
    [PROVENANCE_KEYS.chain, 'example'],
  ])
})

test('the chain grows by one dispatcher with each result made from a result', () => {
  const first = {
    destinationTable: 'TransactionKeyValue',
    key: PROVENANCE_KEYS.chain,
    value: 'a,b',
  }
  expect(notesOf([first])).toContainEqual([PROVENANCE_KEYS.chain, 'a,b,example'])
  expect(chainOf(eventWith([first]))).toEqual(['a', 'b'])
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
