/** What packages/jsonpath explains, under a subscription's names. */
import { Event } from '@pacifica/core'
import { expect, test } from 'vitest'
import { explain } from './explain.ts'
import { compileSubscription } from './subscription.ts'

const event = Event.parse(
  JSON.stringify({
    ...{ cloudEventsVersion: '0.1', eventType: 'ingest', source: '/s', eventID: '1' },
    data: [{ destinationTable: 'Files', name: 'foo.txt' }],
  }),
)

test('the version decides which names there are', () => {
  const expression = compileSubscription('$.eventType', 'jsonpath2')
  expect(explain(expression, event, 'v0.1')).toMatchObject({ matches: true, values: ['ingest'] })
  expect(explain(expression, event, 'v1.0').failed?.found[0]).toMatchObject({
    keys: expect.arrayContaining(['specversion', 'type']),
  })
})

test('an expression that leaves out the root is explained as it is read', () => {
  const expression = compileSubscription('data', 'jsonpath2')
  expect(explain(expression, event, 'v0.1')).toMatchObject({ matches: true, count: 1 })
})
