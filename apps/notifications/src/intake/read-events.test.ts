import type { BrokerMessage } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { readEvents } from './read-events.ts'

const EVENT = '{"specversion":"1.0","type":"t","source":"/s","id":"1"}'

function read(properties: BrokerMessage['properties'], body = EVENT, headers = {}) {
  const message = { body: Buffer.from(body), properties, headers, exchange: '', routingKey: '' }
  return readEvents(message, { maxBody: 200 })
}

test.each([undefined, 'utf-8', 'UTF8', 'binary', 'identity', ''])(
  'a message whose content encoding is %s, as Celery may write it, is read as it is',
  (contentEncoding) => {
    const properties = contentEncoding === undefined ? {} : { contentEncoding }
    expect(read(properties)).toMatchObject({ kind: 'events', form: 'structured' })
  },
)

test('content type and attributes are taken from the properties of the message', () => {
  const headers = { 'cloudEvents:specversion': '1.0', 'cloudEvents:type': 't' }
  const more = { 'cloudEvents:source': '/s', 'cloudEvents:id': '1' }
  const binary = read({ contentType: 'text/plain' }, 'hello', { ...headers, ...more })
  expect(binary).toMatchObject({ kind: 'events', form: 'binary', events: [{ data: 'hello' }] })
})

test('what POST /receive would refuse is refused, with its words', () => {
  const reason = (expected: RegExp) => ({
    kind: 'refused',
    reason: expect.stringMatching(expected),
  })
  expect(read({}, '{}')).toEqual(reason(/cloudEventsVersion/))
  expect(read({ contentType: 'text/xml' })).toEqual(reason(/text\/xml/))
  expect(read({ contentEncoding: 'gzip' })).toEqual(reason(/gzip/))
  expect(read({}, ' '.repeat(201))).toEqual(reason(/larger than 200 bytes/))
})
