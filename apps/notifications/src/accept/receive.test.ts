/** What the receiver does when the database fails: nothing that is well-formed is refused while there is room on disk. */
import { randomUUID } from 'node:crypto'
import { Event } from '@pacifica/core'
import { expect, test } from 'vitest'
import { silentLog } from '../../../../test/harness/index.ts'
import type { Accepted, EventStore } from './event-store.ts'
import { receiver } from './receive.ts'
import type { Arrival } from './spool/record.ts'

const options = { waitMs: 5, maxEvents: 100, maxBytes: 1_000_000, commitMs: 500 }

function anEvent(type = 't'): Event {
  return Event.parse(`{"specversion":"1.0","type":"${type}","source":"/s","id":"${randomUUID()}"}`)
}

function set(insert: EventStore['insert']) {
  const spooled: Arrival[] = []
  const state = { away: false, lost: 0, inserts: 0 }
  const store: EventStore = {
    insert(events, uuids) {
      state.inserts += 1
      return insert(events, uuids)
    },
    alias: () => Promise.resolve(),
  }
  const availability = {
    get away() {
      return state.away
    },
    lost() {
      state.away = true
      state.lost += 1
    },
    ...{ suspect() {}, working() {}, onBack() {} },
  }
  const spool = { add: async (arrival: Arrival) => void spooled.push(arrival) }
  const needs = { store, spool, availability, log: silentLog }
  return { accepting: receiver(needs, options), spooled, state }
}

const asGiven: EventStore['insert'] = async (_events, uuids = []) =>
  uuids.map((uuid): Accepted => ({ uuid, repeated: false }))

test('while the database is away events are spooled, and it is not asked for each', async () => {
  const gone = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const { accepting, spooled, state } = set(() => Promise.reject(gone))
  const together = await Promise.all(
    [anEvent(), anEvent(), anEvent()].map((event) => accepting.receive(event)),
  )
  const later = await accepting.receive(anEvent())
  expect([...together, later].map(({ outcome }) => outcome)).toEqual(Array(4).fill('spooled'))
  expect(spooled.map(({ uuid }) => uuid)).toEqual([...together, later].map(({ uuid }) => uuid))
  expect(state).toMatchObject({ inserts: 1, away: true })
})

test('what is spooled keeps the trace that it came with, and begins one where there was none', async () => {
  const gone = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
  const { accepting, spooled } = set(() => Promise.reject(gone))
  const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'
  expect(await accepting.receive(anEvent(), trace)).toMatchObject({ trace })
  const begun = await accepting.receive(anEvent())
  expect(begun.trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
  expect(spooled.map((arrival) => arrival.trace)).toEqual([trace, begun.trace])
})

test('one event that the database refuses costs its neighbours nothing, and is kept on disk', async () => {
  const { accepting, spooled, state } = set((events, uuids) =>
    events.some(({ type }) => type === 'bad')
      ? Promise.reject(Object.assign(new Error('bad row'), { code: '22P05' }))
      : asGiven(events, uuids),
  )
  const [first, bad, last] = await Promise.all(
    [anEvent(), anEvent('bad'), anEvent()].map((event) => accepting.receive(event)),
  )
  expect([first, bad, last].map((each) => each?.outcome)).toEqual(['stored', 'spooled', 'stored'])
  expect(spooled.map(({ event }) => event.type)).toEqual(['bad'])
  expect(state.away).toBe(false)
})

test('a commit that hangs is not waited for: the event is spooled under the id it may be stored under', async () => {
  const asked: (readonly string[])[] = []
  const { accepting, spooled, state } = set((_events, uuids = []) => {
    asked.push(uuids)
    return new Promise(() => {})
  })
  const received = await accepting.receive(anEvent())
  expect(received.outcome).toBe('spooled')
  expect(asked).toEqual([[received.uuid]])
  expect(spooled[0]?.uuid).toBe(received.uuid)
  expect(state.away).toBe(true)
})

test('while a commit hangs, those that wait behind it are not made to wait in turn', async () => {
  const { accepting, spooled } = set(() => new Promise(() => {}))
  const began = performance.now()
  const waiting: Promise<unknown>[] = []
  for (let group = 0; group < 6; group += 1) {
    waiting.push(accepting.receive(anEvent()))
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await Promise.all(waiting)
  expect(spooled).toHaveLength(6)
  expect(performance.now() - began).toBeLessThan(2.5 * options.commitMs)
})

test('a refusal of the spool is the answer', async () => {
  const { accepting, state } = set(asGiven)
  state.away = true
  const full = receiver(
    {
      store: { insert: asGiven, alias: () => Promise.resolve() },
      spool: { add: () => Promise.reject(new Error('full')) },
      availability: { away: true, lost() {}, suspect() {}, working() {}, onBack() {} },
      log: silentLog,
    },
    options,
  )
  await expect(full.receive(anEvent())).rejects.toThrow('full')
  await accepting.close()
})
