import { createHash } from 'node:crypto'
import { CloudEvent } from 'cloudevents'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventFormatError } from './errors.ts'
import { Event } from './event.ts'

/** As Pacifica Metadata writes it, with numbers and spacing that JSON.stringify would not reproduce. */
const METADATA = `{"cloudEventsVersion": "0.1", "eventType": "org.pacifica.metadata.ingest",
 "source": "http://metadata.pacifica.org/transactions?_id=67", "eventID": "metadata.ingest.67",
 "eventTime": "2019-01-09T09:17:26", "extensions": {"big": 12345678901234567890, "comExample": "caf\\u00e9"}, "contentType": "application/json",
 "data": [{"destinationTable": "Transactions._id", "value": 67.0}, {"x": 12345678901234567890}]}\n`
const MODERN =
  '{"specversion":"1.0","type":"t","source":"/s","id":"1","site":"A","n":1.0,"data":{"k":1.50}}'

function v01(members: Record<string, unknown> = {}): string {
  const required = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: '1' }
  return JSON.stringify({ ...required, ...members })
}

function failure(body: string | Uint8Array): EventFormatError {
  try {
    Event.parse(body)
  } catch (error) {
    if (error instanceof EventFormatError) return error
    throw error
  }
  throw new Error('it was accepted')
}

test('an event from Metadata is read as it is, its naive time untouched', () => {
  const event = Event.parse(Buffer.from(METADATA))
  expect(event).toMatchObject({
    specVersion: '0.1',
    id: 'metadata.ingest.67',
    source: 'http://metadata.pacifica.org/transactions?_id=67',
    type: 'org.pacifica.metadata.ingest',
    time: '2019-01-09T09:17:26',
    text: METADATA,
  })
  expect(event.digest).toBe(createHash('sha256').update(METADATA).digest('hex'))
  expect(Event.parse(METADATA).digest).toBe(event.digest)
  expect(event.project('v0.1')).toBe(event.value)
})

test('a 1.0 event is read under its own names', () => {
  const event = Event.parse(MODERN)
  expect(event).toMatchObject({
    specVersion: '1.0',
    id: '1',
    source: '/s',
    type: 't',
    time: undefined,
  })
  expect(event.extensions).toEqual({ site: 'A', n: 1 })
})

test('without extensions of the subscription the body is the received text', () => {
  expect(Event.parse(METADATA).toBody('v0.1', {})).toBe(METADATA)
  expect(Event.parse(MODERN).toBody('v1.0', {})).toBe(MODERN)
})

test('merging changes nothing but the extensions, and of these nothing but what is merged', () => {
  const body = Event.parse(METADATA).toBody('v0.1', { comExample: 'mine', more: [1] })
  const merged = '{"big": 12345678901234567890, "comExample": "mine", "more": [1]}'
  const original = '{"big": 12345678901234567890, "comExample": "caf\\u00e9"}'
  expect(body).toBe(METADATA.replace(original, merged))
})

test.each([
  ['absent', v01(), v01({ extensions: { a: 1 } })],
  ['null', v01({ extensions: null }), v01({ extensions: { a: 1 } })],
  ['a list', v01({ extensions: ['x'] }), v01({ extensions: { a: 1 } })],
  ['a string', v01({ extensions: '{' }), v01({ extensions: { a: 1 } })],
])('extensions that are %s count as none', (_kind, received, expected) => {
  const event = Event.parse(received)
  expect(event.extensions).toEqual({})
  expect(JSON.parse(event.toBody('v0.1', { a: 1 }))).toEqual(JSON.parse(expected))
  expect(JSON.parse(event.toBody('v0.1', {}))['extensions']).toEqual({})
})

test('of two extensions members the last counts, and both carry the merged one afterwards', () => {
  const text = v01()
    .replace('{', '{"extensions":{"old":1},')
    .replace(/}$/, ',"extensions":{"new":2}}')
  const event = Event.parse(text)
  expect(event.extensions).toEqual({ new: 2 })
  const body = event.toBody('v0.1', { a: 3 })
  expect(body.match(/"extensions":\{"new":2, "a": 3\}/g)).toHaveLength(2)
  expect(body).not.toContain('old')
})

test('on a 1.0 event extensions become attributes, but never a core one', () => {
  const event = Event.parse(MODERN)
  const core = {
    id: 'x',
    source: 'x',
    specversion: '0.3',
    type: 'x',
    data: 0,
    data_base64: '',
    time: 'x',
  }
  const body = event.toBody('v1.0', { ...core, subject: 'x', site: 'B', my_ext: true })
  expect(body).toBe(MODERN.replace('"site":"A"', '"site":"B"').replace(/}$/, ', "my_ext": true}'))
})

test('merging agrees with the object spread that it stands for', () => {
  const values = fc.dictionary(fc.string(), fc.jsonValue())
  fc.assert(
    fc.property(fc.option(values), values, fc.jsonValue(), (own, given, data) => {
      const received = v01(own === null ? { data } : { extensions: own, data })
      const merged = { ...(own ?? {}), ...given }
      const body: unknown = JSON.parse(Event.parse(received).toBody('v0.1', given))
      const expected: unknown = JSON.parse(v01({ data, extensions: merged }))
      expect(body).toEqual(expected)
    }),
  )
})

test('a 0.1 event is seen under 1.0 names, with nothing made up', () => {
  expect(Event.parse(METADATA).project('v1.0')).toEqual({
    specversion: '1.0',
    type: 'org.pacifica.metadata.ingest',
    source: 'http://metadata.pacifica.org/transactions?_id=67',
    id: 'metadata.ingest.67',
    time: '2019-01-09T09:17:26',
    datacontenttype: 'application/json',
    big: 12345678901234567000,
    extensions: { comExample: 'caf\u00e9' },
    data: [{ destinationTable: 'Transactions._id', value: 67 }, { x: 12345678901234567000 }],
  })
})

test('extensions become attributes where 1.0 allows it; the others stay together', () => {
  const extensions = { site: 'A', n: 1, my_ext: 'x', id: 'x', list: [1], subject: 'what' }
  const projected = Event.parse(v01({ extensions, schemaURL: 'http://schema' })).project('v1.0')
  expect(projected).toEqual({
    specversion: '1.0',
    type: 't',
    source: '/s',
    id: '1',
    dataschema: 'http://schema',
    site: 'A',
    n: 1,
    subject: 'what',
    extensions: { my_ext: 'x', id: 'x', list: [1] },
  })
})

test('a 1.0 event is seen under 0.1 names', () => {
  const text = JSON.stringify({
    specversion: '1.0',
    type: 't',
    source: '/s',
    id: '1',
    time: '2020-01-01T00:00:00Z',
    subject: 'what',
    dataschema: 'http://schema',
    datacontenttype: 'text/plain',
    site: 'A',
    data: null,
  })
  expect(Event.parse(text).project('v0.1')).toEqual({
    cloudEventsVersion: '0.1',
    eventType: 't',
    source: '/s',
    eventID: '1',
    eventTime: '2020-01-01T00:00:00Z',
    schemaURL: 'http://schema',
    contentType: 'text/plain',
    extensions: { site: 'A', subject: 'what' },
    data: null,
  })
})

test('from 0.1 to 1.0 and back an event is what it was', () => {
  const text = fc.string({ minLength: 1, unit: 'grapheme' }).filter((each) => !each.includes('\0'))
  const optional = { eventTypeVersion: text, eventTime: text, schemaURL: text, contentType: text }
  const extensions = fc.dictionary(
    fc.oneof(
      fc.string(),
      fc.constantFrom('subject', 'eventtypeversion', 'id', 'extensions', 'time'),
    ),
    fc.jsonValue(),
    { minKeys: 1 },
  )
  const record = fc.record({ ...optional, extensions, data: fc.jsonValue() }, { requiredKeys: [] })
  fc.assert(
    fc.property(record, (members) => {
      const received = v01(JSON.parse(JSON.stringify(members)))
      const there = Event.parse(received).toBody('v1.0', {})
      expect(Event.parse(there).project('v0.1')).toEqual(JSON.parse(received))
    }),
  )
})

test('sent in the other version, the text of the data is kept', () => {
  expect(Event.parse(METADATA).toBody('v1.0', { site: 'A' })).toContain(
    '"data":[{"destinationTable": "Transactions._id", "value": 67.0}, {"x": 12345678901234567890}]',
  )
  const back = Event.parse(MODERN).toBody('v0.1', { more: 1 })
  expect(back).toContain('"data":{"k":1.50}')
  expect(JSON.parse(back).extensions).toEqual({ site: 'A', n: 1, more: 1 })
})

test('binary data is bytes to a handler and base64 to an expression', () => {
  const text = '{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":"AP8="}'
  const event = Event.parse(text)
  expect(event.data).toEqual(new Uint8Array([0, 255]))
  expect(event.project('v0.1')['data']).toBe('AP8=')
  expect(event.toCloudEvent().data).toEqual(new Uint8Array([0, 255]))
  expect(JSON.parse(JSON.stringify(event.toCloudEvent()))).toEqual(JSON.parse(text))
})

test('the SDK object has what the sender gave: no invented time, naive times and odd names as they are', () => {
  const event = Event.parse(
    v01({ extensions: { my_ext: 'x', site: 'A' }, data: [1] }),
  ).toCloudEvent()
  expect(event).toBeInstanceOf(CloudEvent)
  expect(event).toMatchObject({ id: '1', type: 't', source: '/s', site: 'A', data: [1] })
  expect(Object.hasOwn(event, 'time')).toBe(false)
  expect(JSON.parse(JSON.stringify(event))).toEqual(
    Event.parse(v01({ extensions: { my_ext: 'x', site: 'A' }, data: [1] })).project('v1.0'),
  )
  expect(Event.parse(METADATA).toCloudEvent().time).toBe('2019-01-09T09:17:26')
})

test.each([
  ['', 'empty'],
  [' \n', 'empty'],
  ['\uFEFF{}', 'byte order mark'],
  [`{"a": "\0"}`, 'NUL'],
  ['{"a": NaN}', 'not JSON'],
  ['{"a": 1', 'not JSON'],
  ['5', 'not a number'],
  ['[]', 'not a list'],
  ['null', 'not null'],
  ['{}', '"cloudEventsVersion"'],
  ['{"a": "\uD800"}', 'Unicode'],
])('%j is no event, and the message says why', (body, reason) => {
  expect(failure(body).message).toContain(reason)
  expect(failure(body).code).toBe('EVENT_FORMAT')
})

test('bytes that are no UTF-8 are refused', () => {
  expect(failure(Buffer.from([0x7b, 0xff, 0x7d])).message).toContain('UTF-8')
})

test.each(['cloudEventsVersion', 'eventType', 'source', 'eventID'])('0.1 demands %s', (name) => {
  for (const value of [undefined, '', null, 5, {}, []]) {
    const error = failure(v01({ [name]: value }))
    expect(error.message).toContain(`"${name}"`)
    expect(error.member).toBe(name)
  }
})

test.each(['specversion', 'type', 'source', 'id'])('1.0 demands %s', (name) => {
  const required = { specversion: '1.0', type: 't', source: '/s', id: '1' }
  for (const value of ['', null, 5]) {
    expect(failure(JSON.stringify({ ...required, [name]: value })).member).toBe(name)
  }
})

test('a specversion that we do not know is named', () => {
  const text = '{"specversion":"0.3","type":"t","source":"/s","id":"1"}'
  expect(failure(text).message).toBe(
    '"specversion" is "0.3"; "1.0" is understood, and 0.1 with "cloudEventsVersion"',
  )
})

test('a NUL is refused in an attribute and accepted in the data, which is stored as text', () => {
  expect(failure(v01({ eventID: 'a\0b' })).member).toBe('eventID')
  expect(failure(v01().replace('"1"', '"\\ud800"')).member).toBe('eventID')
  expect(Event.parse(v01({ data: { key: 'a\0b' } })).data).toEqual({ key: 'a\0b' })
})

test('nesting is accepted up to 128 levels and refused above, however deep', () => {
  const nested = (levels: number) =>
    v01().replace(/}$/, `,"data":${'['.repeat(levels)}${']'.repeat(levels)}}`)
  expect(Event.parse(nested(127)).project('v1.0')['data']).toHaveLength(1)
  expect(failure(nested(128)).message).toContain('128 levels')
  expect(failure(nested(2_000_000)).message).toContain('128 levels')
})

test('nothing but our own error comes out of parsing', () => {
  const bodies = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
  )
  fc.assert(
    fc.property(bodies, (body) => {
      expect(failure(body)).toBeInstanceOf(EventFormatError)
    }),
  )
})

test('names of the object prototype are members like any other', () => {
  const text = v01().replace(/}$/, ',"extensions":{"__proto__":{"a":1},"toString":"x"}}')
  const body = JSON.parse(Event.parse(text).toBody('v0.1', { constructor: 'y' }))
  expect(Object.keys(body.extensions)).toEqual(['__proto__', 'toString', 'constructor'])
  expect(Object.keys(Event.parse(text).project('v1.0')['extensions'] as object)).toContain(
    '__proto__',
  )
})
