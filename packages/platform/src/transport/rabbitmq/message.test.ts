import type { ConsumeMessage } from 'amqplib'
import { expect, test } from 'vitest'
import type { DispatchMessage } from '../transport.ts'
import { decode, encode, offersBefore } from './message.ts'

const dispatch: DispatchMessage = {
  deliveryId: 'ad4f2a4e-5d0c-4b2e-9d2a-0f3f4d8f8c11',
  replay: 2,
  digest: 'ab'.repeat(32),
  body: '{"id":"é𝒳"}',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

function received(message: DispatchMessage): ConsumeMessage {
  const { content, properties } = encode(message)
  const fields = {
    ...{ deliveryTag: 1, redelivered: false, exchange: '', routingKey: '', consumerTag: '' },
  }
  const { headers, contentType, messageId } = properties
  const none = { contentEncoding: undefined, deliveryMode: 2, priority: undefined, clusterId: '' }
  return {
    content,
    fields,
    properties: {
      ...none,
      ...{ headers, contentType, messageId, correlationId: undefined, replyTo: undefined },
      ...{ expiration: undefined, timestamp: undefined, type: undefined, userId: undefined },
      appId: undefined,
    },
  }
}

test('what consumers in other languages find where', () => {
  const { content, properties } = encode(dispatch)
  expect(content.toString()).toBe(dispatch.body)
  expect(properties).toEqual({
    contentType: 'application/cloudevents+json',
    persistent: true,
    mandatory: true,
    messageId: dispatch.deliveryId,
    headers: {
      'pacifica-delivery': dispatch.deliveryId,
      'pacifica-replay': 2,
      'pacifica-digest': dispatch.digest,
      traceparent: dispatch.traceparent,
    },
  })
})

test('a message is read as it was written', () => {
  expect(decode(received(dispatch))).toEqual({ kind: 'read', message: dispatch })
})

test('a dispatch that was a dead letter says which', () => {
  const message = received(dispatch)
  message.properties.headers = { ...message.properties.headers, 'pacifica-resent': 'the letter' }
  const expected = { ...dispatch, letter: 'the letter' }
  expect(decode(message)).toEqual({ kind: 'read', message: expected })
})

test.each([
  ['pacifica-delivery', undefined],
  ['pacifica-delivery', 'x'],
  ['pacifica-delivery', 7],
  ['pacifica-replay', undefined],
  ['pacifica-replay', -1],
  ['pacifica-replay', 1.5],
  ['pacifica-replay', '0'],
  ['pacifica-digest', undefined],
  ['pacifica-digest', 'sha256'],
])('a message whose header %s is %s is unreadable', (header, value) => {
  const message = received(dispatch)
  message.properties.headers = { ...message.properties.headers, [header]: value }
  expect(decode(message)).toEqual({ kind: 'unreadable', reason: expect.stringContaining(header) })
})

test('a message without headers, or whose body is no UTF-8, is unreadable', () => {
  const bare = received(dispatch)
  bare.properties.headers = undefined
  expect(decode(bare).kind).toBe('unreadable')
  const bytes = { ...received(dispatch), content: Buffer.from([0x7b, 0xff, 0x7d]) }
  expect(decode(bytes)).toEqual({ kind: 'unreadable', reason: 'its body is no UTF-8 text' })
})

test('the broker counts the offers; one that does not says at least whether there was any', () => {
  const message = received(dispatch)
  expect(offersBefore(message)).toBe(0)
  message.fields.redelivered = true
  expect(offersBefore(message)).toBe(1)
  message.properties.headers = { 'x-delivery-count': 7 }
  expect(offersBefore(message)).toBe(7)
})
