/** The ledger of the fault suite finds what it is there to find. */
import { expect, test } from 'vitest'
import type { Sent } from '../pacifica/receiver.ts'
import type { DeliveryRow, EventRow, TaskRow } from './books.ts'
import { eventId, eventText } from './events.ts'
import { type Account, balance } from './ledger.ts'
import type { Subscription } from './subscriptions.ts'

const always = () => true
const one = { user: 'ann', jsonpath: '$', matches: always }
const SUBSCRIPTIONS: Subscription[] = [
  { ...one, uuid: 's1', name: 'healthy', url: 'http://t/healthy', fate: 'delivered' },
  { ...one, uuid: 's2', name: 'denied', url: 'http://t/denied', fate: 'denied' },
  { ...one, uuid: 's3', name: 'hanging', url: 'http://t/hanging', fate: 'waiting' },
  { ...one, uuid: 's4', name: 'dispatched', url: 'dispatch://example', fate: 'delivered' },
]

/** One event, and everything as it should be. */
function inOrder() {
  const event: EventRow = {
    ...{ uuid: 'e0', event_id: eventId(0), state: 'matched', match_count: 4 },
    jsondata: eventText(0),
  }
  const row = (uuid: string, subscription: string, state: string): DeliveryRow => ({
    ...{ uuid, event: 'e0', subscription, state, reason: null },
    ...{ attempts: state === 'denied' ? 0 : 1, is_due: state === 'retrying' },
  })
  const deliveries = [
    ...[row('d1', 's1', 'delivered'), row('d2', 's2', 'denied')],
    ...[row('d3', 's3', 'retrying'), row('d4', 's4', 'delivered')],
  ]
  const tasks: TaskRow[] = [
    { delivery: 'd4', replay: 0, task: 't1', state: 'done', event_id: eventId(0) },
  ]
  const request = (id: string, path: string): Sent => ({
    ...{ path, headers: { 'webhook-id': id }, body: eventText(0), at: 0 },
  })
  return {
    posted: [{ number: 0, status: 200, uuid: 'e0' }],
    subscriptions: SUBSCRIPTIONS,
    books: { events: [event], deliveries, tasks, taskCount: 1 },
    sent: [request('d1', '/healthy'), request('d3', '/hanging')],
    cuts: [] as Account['cuts'][number][],
  }
}

type Books = ReturnType<typeof inOrder>
const change = <T>(list: T[], index: number, changes: Partial<T>) =>
  list.splice(index, 1, { ...(list[index] as T), ...changes })

test('a ledger in order has nothing to say', () => {
  const { wrong, expected, repeats, unanswered } = balance(inOrder())
  expect({ wrong, expected, repeats, unanswered }).toEqual({
    ...{ wrong: [], expected: 4, repeats: 0, unanswered: 0 },
  })
})

test.each<[string, (books: Books) => unknown, RegExp]>([
  ['an accepted event is not stored', ({ books }) => books.events.pop(), /event 0 is lost/],
  [
    'an event is stored twice',
    ({ books }) => books.events.push({ ...(books.events[0] as EventRow), uuid: 'e1' }),
    /stored 2 times/,
  ],
  [
    'an event is stored with other bytes',
    ({ books }) => change(books.events, 0, { jsondata: '{}' }),
    /not stored byte for byte/,
  ],
  [
    'an event is not matched',
    ({ books }) => change(books.events, 0, { state: 'new', match_count: null }),
    /faults\.0: new/,
  ],
  ['a delivery is missing', ({ books }) => books.deliveries.splice(0, 1), /healthy is missing/],
  [
    'a delivery is given up',
    ({ books }) => change(books.deliveries, 0, { state: 'exhausted' }),
    /healthy is exhausted/,
  ],
  [
    'what was to be denied is delivered',
    ({ books }) => change(books.deliveries, 1, { state: 'delivered' }),
    /denied is delivered/,
  ],
  [
    'what waits is never due',
    ({ books }) => change(books.deliveries, 2, { is_due: false }),
    /hanging is retrying, never due/,
  ],
  [
    'what must have been tried is not',
    ({ books }) => change(books.deliveries, 2, { state: 'pending', attempts: 0 }),
    /hanging is pending/,
  ],
  [
    'a delivery is nobody’s',
    ({ books }) =>
      books.deliveries.push({
        ...(books.deliveries[0] as DeliveryRow),
        ...{ uuid: 'd9', subscription: 's9' },
      }),
    /5 deliveries, and 4 were to be/,
  ],
  [
    'a request is repeated although nothing was cut off',
    ({ sent }) => sent.push(sent[0] as Sent),
    /d1: 2 requests, 1 on record, 0 cut off/,
  ],
  [
    'a request carries an id of its own',
    ({ sent }) => change(sent, 0, { headers: { 'webhook-id': 'x' } }),
    /healthy was sent x: no delivery/,
  ],
  [
    'a request carries the id of another delivery',
    ({ sent }) => change(sent, 1, { headers: { 'webhook-id': 'd1' } }),
    /d1 came to \/hanging/,
  ],
  [
    'a body was printed anew on its way',
    ({ sent }) => change(sent, 0, { body: JSON.stringify(JSON.parse(eventText(0))) }),
    /came changed/,
  ],
  ['a delivered dispatch has no task', ({ books }) => books.tasks.pop(), /d4 has 0 tasks/],
  [
    'an event has two tasks',
    ({ books }) => books.tasks.push({ ...(books.tasks[0] as TaskRow), task: 't2' }),
    /faults\.0 has 2 tasks/,
  ],
  [
    'a task failed',
    ({ books }) => change(books.tasks, 0, { state: 'failed' }),
    /task of d4 is failed/,
  ],
])('it is wrong when %s', (_what, spoil, told) => {
  const account = inOrder()
  spoil(account)
  expect(balance(account).wrong.join('\n')).toMatch(told)
})

test('behind a target that hangs others stand in line, when one of them has been tried', () => {
  const account = inOrder()
  const subscriptions = SUBSCRIPTIONS.map((each) =>
    each.name === 'hanging' ? { ...each, fate: 'in line' as const } : each,
  )
  expect(balance({ ...account, subscriptions }).wrong).toEqual([])
  account.sent.pop()
  change(account.books.deliveries, 2, { state: 'pending', attempts: 0 })
  expect(balance({ ...account, subscriptions }).wrong).toEqual(['hanging: nothing was tried'])
  change(account.books.deliveries, 2, { state: 'delivering', attempts: 1 })
  expect(balance({ ...account, subscriptions }).wrong.join()).toMatch(/hanging is delivering/)
})

test('one repeat for each claim that was cut off is in order, however many faults found it so', () => {
  const account = inOrder()
  account.sent.push(account.sent[0] as Sent)
  for (const what of ['kill', 'database restart'])
    account.cuts.push({ what, inFlight: new Map([['d1', '1']]), atTargets: 1 })
  const { wrong, repeats, inFlight, seenTwice } = balance(account)
  expect({ wrong, repeats, inFlight, seenTwice }).toEqual({
    ...{ wrong: [], repeats: 1, inFlight: 1, seenTwice: 1 },
  })
  account.sent.push(account.sent[0] as Sent)
  expect(balance(account).wrong).toEqual(['delivery d1: 3 requests, 1 on record, 1 cut off'])
})
