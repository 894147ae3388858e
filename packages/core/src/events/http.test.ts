import { expect, test } from 'vitest'
import { heapKeptBy } from '../../../../test/harness/heap.ts'
import { EventFormatError, UnsupportedMediaTypeError } from './errors.ts'
import { eventsFromHttp } from './http.ts'

const OLD =
  '{"cloudEventsVersion": "0.1", "eventType": "t", "source": "/s", "eventID": "1", "n": 1.0}'
const NEW = '{"specversion": "1.0", "type": "t", "source": "/s", "id": "2"}'
const BINARY = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s', 'ce-id': '3' }

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'Application/CloudEvents+JSON; charset="UTF-8"',
])('%s carries one event, kept as it is', (contentType) => {
  const [event, ...more] = eventsFromHttp({ 'Content-Type': contentType }, Buffer.from(OLD))
  expect(event?.text).toBe(OLD)
  expect(more).toEqual([])
})

test('without a media type the body is taken as JSON', () => {
  expect(eventsFromHttp({}, Buffer.from(NEW))[0]?.id).toBe('2')
})

test('a batch carries events of both versions, each with its own text', () => {
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  const events = eventsFromHttp(headers, Buffer.from(`[ ${OLD} ,${NEW}]`))
  expect(events.map(({ text }) => text)).toEqual([OLD, NEW])
  expect(eventsFromHttp(headers, Buffer.from('[]'))).toEqual([])
})

test('an event of a batch does not keep the whole batch in memory', async () => {
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  const large = `{"specversion": "1.0", "type": "t", "source": "/s", "id": "3", "data": "${'x'.repeat(1024 * 1024)}"}`
  const body = Buffer.from(`[${NEW}, ${large}]`)
  const firsts = () => Array.from({ length: 60 }, () => eventsFromHttp(headers, body)[0] as object)
  expect(await heapKeptBy(firsts)).toBeLessThan(30)
})

test('a mistake in a batch says in which event', () => {
  const headers = { 'content-type': 'application/cloudevents-batch+json' }
  const batch = (text: string) => () => eventsFromHttp(headers, Buffer.from(text))
  expect(batch(`[${NEW}, {"specversion": "1.0", "type": "t", "source": "/s"}]`)).toThrow(
    'event 2 of the batch: "id" is missing',
  )
  expect(batch(NEW)).toThrow(EventFormatError)
  expect(batch('[1')).toThrow(EventFormatError)
  expect(batch('['.repeat(1_000_000))).toThrow('nested')
})

test('binary mode forms a 1.0 event from the headers, with the data as it is', () => {
  const headers = {
    ...BINARY,
    'Content-Type': 'application/json',
    'ce-time': '2020-01-01T00:00:00Z',
    'CE-Subject': '"Euro%20%E2%82%AC %F0%9F%98%80"',
    'ce-myext': '100%',
  }
  const [event] = eventsFromHttp(headers, Buffer.from(' {"n": 1.0}\n'))
  expect(event?.value).toEqual({
    specversion: '1.0',
    type: 't',
    source: '/s',
    id: '3',
    time: '2020-01-01T00:00:00Z',
    subject: 'Euro \u20ac \u{1f600}',
    myext: '100%',
    datacontenttype: 'application/json',
    data: { n: 1 },
  })
  expect(event?.text).toContain('"data": {"n": 1.0}')
})

test('binary mode carries text as a string, other data as base64, and no body as no data', () => {
  const send = (contentType: string, body: Uint8Array) =>
    eventsFromHttp({ ...BINARY, 'content-type': contentType }, body)[0]?.value
  expect(send('text/plain; charset=utf-8', Buffer.from('é'))).toMatchObject({ data: 'é' })
  expect(send('text/plain; charset=latin1', Buffer.from([0xe9]))).toMatchObject({
    data_base64: '6Q==',
  })
  expect(send('image/png', Buffer.from([0, 255]))).toMatchObject({ data_base64: 'AP8=' })
  expect(send('image/png', Buffer.from([]))).not.toHaveProperty('data')
})

test('binary mode demands the required attributes and JSON that is JSON', () => {
  const { 'ce-id': _id, ...withoutId } = BINARY
  expect(() => eventsFromHttp(withoutId, Buffer.from('{}'))).toThrow('"id" is missing')
  expect(() => eventsFromHttp(BINARY, Buffer.from('{'))).toThrow('the data is not JSON')
  expect(() => eventsFromHttp({ ...BINARY, 'ce-data': 'x' }, Buffer.from(''))).toThrow('ce-data')
})

test.each([
  'text/plain',
  'application/xml',
  'application/cloudevents+avro',
  'application/x-www-form-urlencoded',
  'application/json; charset=latin1',
])('%s is an unsupported media type', (contentType) => {
  expect(() => eventsFromHttp({ 'content-type': contentType }, Buffer.from(NEW))).toThrow(
    UnsupportedMediaTypeError,
  )
})
