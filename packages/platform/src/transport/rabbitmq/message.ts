/**
 * A dispatch as a message of the broker, and back. Consumers in other languages read this too:
 *
 * | where | what |
 * |---|---|
 * | body | the event: JSON, CloudEvents structured mode |
 * | `content_type` | `application/cloudevents+json` |
 * | `delivery_mode` | 2: persistent |
 * | `message_id` | the delivery's id |
 * | header `pacifica-delivery` | the same: a uuid; with the replay, one piece of work |
 * | header `pacifica-replay` | integer, 0 for the first time |
 * | header `pacifica-digest` | SHA-256, hex, of the event as it was received |
 * | header `traceparent` | W3C trace context; may be missing |
 * | header `pacifica-resent` | the dead letter that this was, when it was sent again; else missing |
 * | `correlation_id` | the publisher's own: how it knows a returned message again |
 */
import type { ConsumeMessage, Message, Options } from 'amqplib'
import type { BrokerMessage } from '../intake.ts'
import type { DispatchMessage } from '../transport.ts'

export const CONTENT_TYPE = 'application/cloudevents+json'

/** What a consumer makes of a message before it is accepted. */
export type Read<M> =
  | { readonly kind: 'read'; readonly message: M }
  | { readonly kind: 'unreadable'; readonly reason: string }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const DIGEST = /^[0-9a-f]{2,128}$/i
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function encode(message: DispatchMessage): { content: Buffer; properties: Options.Publish } {
  const { deliveryId, replay, digest, body, traceparent } = message
  return {
    content: Buffer.from(body, 'utf8'),
    properties: {
      contentType: CONTENT_TYPE,
      persistent: true,
      mandatory: true,
      messageId: deliveryId,
      headers: {
        'pacifica-delivery': deliveryId,
        'pacifica-replay': replay,
        'pacifica-digest': digest,
        ...(traceparent === undefined ? {} : { traceparent }),
      },
    },
  }
}

export function decode(message: Message): Read<DispatchMessage> {
  return readDispatch(headersOf(message), message.content)
}

/** Why no dispatcher can read this message; undefined when it can. */
export function dispatchTrouble({ headers, body }: BrokerMessage): string | undefined {
  const found = readDispatch(headers, body)
  return found.kind === 'unreadable' ? found.reason : undefined
}

function readDispatch(
  headers: Readonly<Record<string, unknown>>,
  content: Uint8Array,
): Read<DispatchMessage> {
  const { 'pacifica-delivery': deliveryId, 'pacifica-replay': replay } = headers
  const { 'pacifica-digest': digest, 'pacifica-resent': letter, traceparent } = headers
  if (typeof deliveryId !== 'string' || !UUID.test(deliveryId))
    return unreadable('its header pacifica-delivery is no uuid')
  if (typeof replay !== 'number' || !Number.isSafeInteger(replay) || replay < 0)
    return unreadable('its header pacifica-replay is no whole number from 0')
  if (typeof digest !== 'string' || !DIGEST.test(digest))
    return unreadable('its header pacifica-digest is no hexadecimal digest')
  const body = readText(content)
  if (body === undefined) return unreadable('its body is no UTF-8 text')
  const more = {
    ...(typeof traceparent === 'string' ? { traceparent } : {}),
    ...(typeof letter === 'string' ? { letter } : {}),
  }
  return { kind: 'read', message: { deliveryId, replay, digest, body, ...more } }
}

/** How often it was offered before. */
export function offersBefore(message: ConsumeMessage): number {
  const { 'x-delivery-count': count } = headersOf(message)
  return typeof count === 'number' ? count : Number(message.fields.redelivered)
}

function headersOf(message: Message): Record<string, unknown> {
  return message.properties.headers ?? {}
}

function unreadable(reason: string): Read<never> {
  return { kind: 'unreadable', reason }
}

function readText(content: Uint8Array): string | undefined {
  try {
    return UTF8.decode(content)
  } catch {
    return undefined
  }
}
