import { expect, test } from 'vitest'
import { Event } from './event.ts'
import {
  MOST_BUNDLES,
  readTaskEvent,
  type TaskEvent,
  taskEventId,
  writeTaskEvent,
} from './task-event.ts'

const event: TaskEvent = {
  taskId: '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b',
  sequence: 9_007_199_254_740_991,
  dispatcher: 'uppercase',
  state: 'timed-out',
  status: '504 Gateway Timeout',
  attempt: 2,
  deliveries: [{ deliveryId: 'ad4f2a4e-5d0c-4b2e-9d2a-0f3f4d8f8c11', replay: 1 }],
  event: { source: '/s é', id: 'E-1', digest: 'ab' },
  exception: { type: 'TaskTimeoutError', value: 'the handler did not end within 60 s' },
  filesTaken: 3,
  bytesTaken: 5_000_000_000,
  bundles: [{ bundle: null, jobId: 7 }],
  created: '2026-11-22T08:15:30.123Z',
  started: '2026-11-22T08:15:31.000Z',
  settled: '2026-11-22T08:16:31.000Z',
  time: '2026-11-22T08:16:31.000Z',
}
const trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

test('what is written is read again', () => {
  expect(readTaskEvent(writeTaskEvent(event, trace))).toEqual(event)
  const young = { ...event, exception: null, started: null, settled: null, bundles: [] }
  expect(readTaskEvent(writeTaskEvent(young, undefined))).toEqual(young)
})

test('it is a CloudEvent 1.0, which says by its id that it is a repeat', () => {
  const written = Event.parse(writeTaskEvent(event, trace))
  expect(written.value).toMatchObject({
    specversion: '1.0',
    id: '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b.9007199254740991',
    source: '/dispatchers/uppercase',
    type: 'org.pacifica.dispatcher.task.timed-out',
    subject: event.taskId,
    time: event.time,
    traceparent: trace,
  })
  expect(written.id).toBe(taskEventId(event))
})

test('of many bundles the newest are told', () => {
  const bundles = Array.from({ length: MOST_BUNDLES + 5 }, (_, jobId) => ({ bundle: null, jobId }))
  const read = readTaskEvent(writeTaskEvent({ ...event, bundles }, undefined))
  expect(read.bundles).toEqual(bundles.slice(5))
})

test('what a later dispatcher adds is passed over, and a state that is not known yet is taken', () => {
  const written = JSON.parse(writeTaskEvent({ ...event, state: 'on-hold' }, trace))
  const later = { ...written, mood: 'good', data: { ...written.data, retries: [1, 2] } }
  expect(readTaskEvent(JSON.stringify(later))).toEqual({ ...event, state: 'on-hold' })
})

test.each([
  ['type', { type: 'org.pacifica.metadata.ingest' }],
  ['time', { time: 'yesterday' }],
  ['time', { time: '+275760-09-13T00:00:00.000Z' }],
  ['data', { data: [1] }],
])('an event with a wrong %s is refused, and the member named', (member, change) => {
  const text = JSON.stringify({ ...JSON.parse(writeTaskEvent(event, trace)), ...change })
  expect(() => readTaskEvent(text)).toThrow(expect.objectContaining({ member }))
})

test.each([
  ['taskId', 'x'],
  ['sequence', -1],
  ['sequence', 1.5],
  ['dispatcher', 'Upper'],
  ['state', 'a b'],
  ['status', 'fine'],
  ['attempt', 2_147_483_648],
  ['deliveries', [{ deliveryId: 'x', replay: 0 }], 'deliveryId'],
  ['deliveries', 5],
  ['deliveries', [5]],
  ['exception', { type: 'T', value: 'a\0b' }, 'value'],
  ['exception', undefined],
  ['bundles', [{ bundle: 5 }], 'bundle'],
  ['created', null],
])('data with a wrong %s (%j) is refused, and the member named', (name, value, member = name) => {
  const written = JSON.parse(writeTaskEvent(event, trace))
  const text = JSON.stringify({ ...written, data: { ...written.data, [name]: value } })
  expect(() => readTaskEvent(text)).toThrow(
    expect.objectContaining({ code: 'EVENT_FORMAT', member }),
  )
})
