import { expect, test } from 'vitest'
import { Event } from '../events/event.ts'
import { DispatcherDefinitionError, defineDispatcher } from '../handlers/define-dispatcher.ts'
import { defineJoin, type JoinDefinition } from './join.ts'
import { JoinHandler } from './join-handler.ts'
import { JoinTransformHandler } from './join-transform-handler.ts'
import { placeOf } from './place.ts'

const ofType = (type: string) => `$[?(@["eventType"] = "${type}")]`
const SAMPLE = '$["data"][*][?(@["key"] = "sample")]["value"]'

class Nothing extends JoinHandler {
  override async handle(): Promise<void> {}
}

const pair = defineJoin(
  {
    name: 'pair',
    slots: {
      raw: { path: ofType('raw'), key: SAMPLE },
      calibration: { path: '$["type"]["x"]', key: '$["subject"]', version: 'v1.0' },
      dark: { path: ofType('dark'), key: '$["data"]' },
    },
    deadline: '1.5h',
    atDeadline: 'fail',
  },
  new Nothing(),
)

const joinsOf = (...joins: readonly JoinDefinition[]) =>
  defineDispatcher({ name: 'd', routes: [], joins }).joins

function eventOf(eventType: string, data: unknown): Event {
  const required = { cloudEventsVersion: '0.1', eventType, source: '/s', eventID: '1' }
  return Event.parse(JSON.stringify({ ...required, data }))
}
const sample = (value: unknown) => [
  { key: 'other', value: 1 },
  { key: 'sample', value },
]
const placed = (event: Event, joins = joinsOf(pair)) => {
  const { join, slot, key } = placeOf(joins, event) ?? {}
  return [join?.name, slot, key]
}

test('a join has its slots in order, and what its author left out', () => {
  expect(joinsOf(pair)).toMatchObject([
    {
      name: 'pair',
      slots: [{ name: 'raw' }, { name: 'calibration', version: 'v1.0' }, { name: 'dark' }],
      deadlineMs: 5_400_000,
      atDeadline: 'fail',
      onDuplicate: 'keep',
      onLate: 'open',
      allowLoops: false,
    },
  ])
})

test.each([
  ['a text', 'S 1', 'S 1'],
  ['a number', 67, '67'],
  ['the same number as text', '67', '67'],
  ['a truth', true, 'true'],
  ['what is empty', '', ''],
])('an event goes to the first slot whose path selects something, by %s', (_what, value, key) => {
  expect(placed(eventOf('raw', sample(value)))).toEqual(['pair', 'raw', key])
})

test('the first join in order gets the event; one that no slot is for goes on to the routes', () => {
  const other = { ...pair, name: 'other' }
  expect(placed(eventOf('raw', sample(1)), joinsOf(other, pair))[0]).toBe('other')
  expect(placeOf(joinsOf(pair), eventOf('strange', sample(1)))).toBeUndefined()
})

test('a slot may see 1.0 names', () => {
  const text = '{"specversion":"1.0","type":"raw","source":"/s","id":"1","subject":"S"}'
  const slots = {
    ...pair.slots,
    raw: { path: '$[?(@["type"] = "raw")]', key: '$["subject"]', version: 'v1.0' },
  } as const
  expect(placed(Event.parse(text), joinsOf({ ...pair, slots }))).toEqual(['pair', 'raw', 'S'])
})

test.each([
  ['nothing', [], 'selects nothing in it'],
  ['an object', sample({ a: 1 }), 'selects no string, number or boolean'],
  ['null', sample(null), 'selects no string, number or boolean'],
  ['a long text', sample('x'.repeat(501)), 'has 501 characters, where 500 are the most'],
  ['a NUL', sample('a\0'), 'cannot be stored'],
])('an event whose key is %s is refused, with slot and join', (_what, data, reason) => {
  const error = expect.objectContaining({ code: 'JOIN_KEY', join: 'pair', slot: 'raw' })
  const wrong = () => placed(eventOf('raw', data))
  expect(wrong).toThrow(error)
  expect(wrong).toThrow(`slot raw of the join pair, and its key`)
  expect(wrong).toThrow(reason)
})

test('all mistakes of all joins are reported at once, with those of the routes', () => {
  const wrong = {
    name: 'Pair',
    slots: { '1': { path: '$[', key: 7 }, a: { ...pair.slots.raw, version: 'v2' } },
    deadline: '2 weeks',
    atDeadline: 'wait',
    onDuplicate: 'both',
    onLate: 1,
    allowLoops: 'no',
    handler: {},
  } as unknown as JoinDefinition
  const short = { ...pair, slots: { raw: pair.slots.raw }, deadline: '0s' } as JoinDefinition
  const alike = { ...pair, slots: { ...pair.slots, RAW: pair.slots.raw } }
  const routes = [{ path: '$', handler: undefined as never }]
  const mistakes = [
    'routes[0].handler must be an EventHandler',
    expect.stringContaining('joins[0].deadline must be a duration such as 30s, 10min, 2h or 5d'),
    'joins[0].atDeadline must be run or fail, not "wait"',
    'joins[0].onDuplicate must be keep or replace, not "both"',
    'joins[0].onLate must be open or refuse, not 1',
    'joins[0].allowLoops must be true or false, not "no"',
    'joins[0].handler must be a JoinHandler',
    'joins[0].name must be 1 to 64 of a-z, 0-9 and -, not "Pair"',
    expect.stringContaining("joins[0].slots.1: a slot's name is a letter"),
    expect.stringContaining('joins[0].slots.1.path: '),
    'joins[0].slots.1.key must be a JSONPath',
    'joins[0].slots.a.version must be v0.1 or v1.0, not "v2"',
    expect.stringContaining('joins[1].deadline must be'),
    expect.stringContaining('joins[1].slots must name at least two'),
    'joins[2].name: joins[1] is called pair already',
    'joins[2].slots.RAW: raw and RAW would be one folder on some systems',
    'joins[3] must be a join',
  ]
  const joins = [wrong, short, alike, null as unknown as JoinDefinition]
  const define = () => defineDispatcher({ name: 'd', routes, joins })
  expect(define).toThrow(DispatcherDefinitionError)
  expect(define).toThrow(expect.objectContaining({ mistakes }))
})

test('a handler that asks for a slot that is not there does not compile', () => {
  const slots = { raw: pair.slots.raw, dark: pair.slots.dark }
  const common = { name: 'typed', slots, deadline: '1s', atDeadline: 'run' } as const
  const right = defineJoin(
    common,
    new JoinTransformHandler(async ({ events, slots, missing }) => {
      const first: 'raw' | 'dark' | undefined = missing[0]
      const folder: string | undefined = slots.dark?.folder
      return void [events.raw?.id, first, folder]
    }),
  )
  defineJoin(
    common,
    new JoinTransformHandler(async ({ events, slots }) => {
      // @ts-expect-error there is no slot rwa
      const strange = events.rwa
      // @ts-expect-error it may be missing
      return void [strange, slots.raw.folder]
    }),
  )
  // @ts-expect-error what becomes of it at the deadline must be said
  defineJoin({ name: 'typed', slots, deadline: '1s' }, new Nothing())
  expect(joinsOf(right)).toHaveLength(1)
})
