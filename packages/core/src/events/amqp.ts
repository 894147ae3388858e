/**
 * Events in AMQP messages; in binary mode the attributes are application properties (AMQP 0-9-1: headers) called
 * `cloudEvents:…`, or `cloudEvents_…` where a colon is not possible.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md
 */
import { EventFormatError } from './errors.ts'
import type { Event } from './event.ts'
import type { JsonObject } from './json.ts'
import { eventsIn, type Form, formOf } from './modes.ts'

/** What an AMQP client has read of a message. */
export interface AmqpMessage {
  /** The property `content-type`. */
  readonly contentType: string | undefined
  /**
   * As amqplib reads them: strings, numbers, booleans, bytes, and `{"!": "timestamp", value}` in seconds since 1970.
   */
  readonly properties: Readonly<Record<string, unknown>>
  /** The bytes as they came. */
  readonly body: Uint8Array
}

/** What a message brought. */
export interface AmqpEvents {
  /** How it carried them. */
  readonly form: Form
  /** In their order. */
  readonly events: Event[]
}

/**
 * The events of a message, in order; a batch may hold none. A message without a content type is taken as JSON. Throws
 * `UnsupportedMediaTypeError` or, for the body and the attributes, `EventFormatError`.
 * @param message the message; nothing of it is kept
 * @see [AMQP binding of CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/amqp-protocol-binding.md)
 */
export function eventsFromAmqp(message: AmqpMessage): AmqpEvents {
  const { contentType, body } = message
  const given = attributesIn(message.properties)
  const isBinary = given.some(([name]) => name === 'specversion')
  const orSend = 'cloudEvents:… application properties'
  const form = formOf({ contentType, attributes: isBinary ? {} : undefined }, orSend)
  const attributes = form === 'binary' ? readAttributes(given) : undefined
  return { form, events: eventsIn(form, { contentType, attributes, body }) }
}

type Given = readonly (readonly [string, unknown])[]

const PREFIX = /^cloudEvents[:_]/

function attributesIn(properties: AmqpMessage['properties']): Given {
  return Object.entries(properties).flatMap(([name, value]) =>
    PREFIX.test(name) ? [[name.replace(PREFIX, ''), value] as const] : [],
  )
}

function readAttributes(given: Given): JsonObject {
  const reserved = given.find(([name]) => name === 'data' || name === 'data_base64')
  if (reserved)
    throw new EventFormatError(`property cloudEvents:${reserved[0]}: the data is the body`)
  return Object.fromEntries(given.map(([name, value]) => [name, attribute(name, value)]))
}

/** AMQP's own types in the form that CloudEvents has for them in JSON. */
function attribute(name: string, value: unknown): string | number | boolean {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  const time = timeOf(value)
  if (time !== undefined) return time.toISOString().replace('.000Z', 'Z')
  throw new EventFormatError(
    `property cloudEvents:${name} is no string, number, boolean, bytes or time`,
    { member: name },
  )
}

function timeOf(value: unknown): Date | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { '!': type, value: seconds } = value as { '!'?: unknown; value?: unknown }
  if (type !== 'timestamp' || typeof seconds !== 'number') return undefined
  const time = new Date(seconds * 1_000)
  return Number.isNaN(time.getTime()) ? undefined : time
}
