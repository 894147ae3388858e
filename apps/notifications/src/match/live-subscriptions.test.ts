/** What is known of the subscriptions between two looks at their table. */
import { Event } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { liveSubscriptions } from './live-subscriptions.ts'

/** Does too much work on what is deep, and matches nothing else. */
const HEAVY = '$..[?(@..* contains @..*)]..[?(not @ = @)]'
const heavy = {
  ...{ uuid: 'heavy', owner: 'ann', jsonpath: HEAVY, dialect: 'jsonpath2', version: 'v0.1' },
  ...{ disabled: false, deleted: false, revision: 1, failing: false },
}

function nested(depth: number): unknown {
  let value: unknown = 'deep'
  for (let level = 0; level < depth; level += 1) value = { a: value, b: level }
  return value
}

const anEvent = (data: unknown) =>
  Event.parse(
    JSON.stringify({
      ...{ cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: '1', data },
    }),
  )

/** Each look at the table finds the next of these. */
function live(...looks: object[][]) {
  const sql: Pick<Sql, 'query'> = { query: async <T>() => (looks.shift() ?? []) as T[] }
  return liveSubscriptions({ sql: sql as Sql })
}

test('a failure that the table does not tell of yet is ended by the next success', async () => {
  const subscriptions = live([heavy], [])
  await subscriptions.refresh()
  expect(subscriptions.match(anEvent(nested(60))).matches).toMatchObject([
    { subscription: 'heavy', failure: expect.stringContaining('could not be evaluated') },
  ])
  await subscriptions.refresh()
  expect(subscriptions.match(anEvent([])).recovered).toEqual(['heavy'])
  expect(subscriptions.match(anEvent([])).recovered).toEqual([])
})

test('a failure that another worker has counted is ended by a success here, and by being deleted', async () => {
  const failing = { ...heavy, failing: true }
  const subscriptions = live(
    [heavy],
    [failing],
    [failing],
    [{ ...heavy, revision: 2, deleted: true }],
  )
  await subscriptions.refresh()
  await subscriptions.refresh()
  expect(subscriptions.match(anEvent([])).recovered).toEqual(['heavy'])
  await subscriptions.refresh()
  await subscriptions.refresh()
  expect(subscriptions.match(anEvent([])).recovered).toEqual([])
})
