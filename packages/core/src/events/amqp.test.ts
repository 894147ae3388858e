import { expect, test } from 'vitest'
import { eventsFromAmqp } from './amqp.ts'
import { EventFormatError, UnsupportedMediaTypeError } from './errors.ts'

const OLD =
  '{"cloudEventsVersion": "0.1", "eventType": "t", "source": "/s", "eventID": "1", "n": 1.0}'
const NEW = '{"specversion": "1.0", "type": "t", "source": "/s", "id": "2"}'
const REQUIRED = { specversion: '1.0', type: 't', source: '/s?a=100%25', id: '"3"' }

const named = (prefix: string, attributes: object) =>
  Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, value]))

function read(contentType: string | undefined, body: string | Uint8Array, properties = {}) {
  const { form, events } = eventsFromAmqp({ contentType, properties, body: Buffer.from(body) })
  return { form, values: events.map(({ value }) => value), texts: events.map(({ text }) => text) }
}

test.each([undefined, 'application/json', 'application/cloudevents+json; charset=UTF-8'])(
  '%s carries one event, 0.1 or 1.0, kept as it is',
  (contentType) => {
    expect(read(contentType, OLD)).toMatchObject({ form: 'structured', texts: [OLD] })
    expect(read(contentType, NEW)).toMatchObject({ form: 'structured', texts: [NEW] })
  },
)

test('a batch carries events of both versions', () => {
  const batch = read('application/cloudevents-batch+json', `[${OLD}, ${NEW}]`)
  expect(batch).toMatchObject({ form: 'batch', texts: [OLD, NEW] })
})

test.each(['cloudEvents:', 'cloudEvents_'])(
  'properties called %s… are the attributes of a 1.0 event as they stand, and the body is its data',
  (prefix) => {
    const properties = { ...named(prefix, REQUIRED), traceparent: 'not one of them' }
    const { form, values } = read('application/json', ' {"n": 1.0}', properties)
    expect(form).toBe('binary')
    expect(values).toEqual([{ ...REQUIRED, datacontenttype: 'application/json', data: { n: 1 } }])
  },
)

test("AMQP's own types become those of CloudEvents", () => {
  const more = {
    time: { '!': 'timestamp', value: 1_522_902_984 },
    count: 7,
    flag: false,
    bytes: Buffer.from([0, 255]),
  }
  const { values } = read(
    'image/png',
    Uint8Array.of(1, 2),
    named('cloudEvents:', { ...REQUIRED, ...more }),
  )
  expect(values).toEqual([
    {
      ...REQUIRED,
      ...{ time: '2018-04-05T04:36:24Z', count: 7, flag: false, bytes: 'AP8=' },
      ...{ datacontenttype: 'image/png', data_base64: 'AQI=' },
    },
  ])
})

test('structured mode wins over properties that repeat the attributes', () => {
  const properties = named('cloudEvents:', REQUIRED)
  expect(read('application/cloudevents+json', NEW, properties).texts).toEqual([NEW])
})

test('what is no event is refused with the reason', () => {
  const refused = (contentType: string, properties: object, body = '{}') => {
    return () => read(contentType, body, properties)
  }
  expect(refused('text/xml', {})).toThrow(UnsupportedMediaTypeError)
  expect(refused('text/xml', {})).toThrow(/cloudEvents:… application properties/)
  expect(refused('application/cloudevents+avro', {})).toThrow(UnsupportedMediaTypeError)
  expect(refused('application/json', {}, '{')).toThrow(EventFormatError)
  const binary = named('cloudEvents:', REQUIRED)
  expect(refused('application/json', { 'cloudEvents:specversion': '1.0' })).toThrow(/"type"/)
  for (const bad of [null, ['a'], { a: 1 }, { '!': 'timestamp', value: 1e30 }])
    expect(refused('text/plain', { ...binary, 'cloudEvents:x': bad })).toThrow(
      /cloudEvents:x is no/,
    )
  expect(refused('text/plain', { ...binary, 'cloudEvents:data': 'x' })).toThrow(/is the body/)
})
