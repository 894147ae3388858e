/** What of a message of `pacifica.receive` is an event, by the rules of POST /receive. */
import {
  type Event,
  EventFormatError,
  eventsFromAmqp,
  UnsupportedMediaTypeError,
} from '@pacifica/core'
import type { BrokerMessage } from '@pacifica/platform'
import { ContentEncodingError, EventTooLargeError, type Form } from '../accept/request.ts'

/** Kombu, and so Celery, says which characters, or `binary`, where AMQP asks how the body is compressed. */
const AS_IT_IS = new Set(['', 'identity', 'utf-8', 'utf8', 'us-ascii', 'ascii', 'binary'])

export type Reading =
  | { readonly kind: 'events'; readonly form: Form; readonly events: readonly Event[] }
  /** What POST /receive would answer with 400, 413 or 415. */
  | { readonly kind: 'refused'; readonly reason: string }

export function readEvents(message: BrokerMessage, { maxBody }: { maxBody: number }): Reading {
  try {
    return { kind: 'events', ...eventsOf(message, maxBody) }
  } catch (error) {
    if (isRefusal(error)) return { kind: 'refused', reason: error.message }
    throw error
  }
}

function eventsOf({ body, properties, headers }: BrokerMessage, maxBody: number) {
  const encoding = String(properties['contentEncoding'] ?? '').trim()
  if (!AS_IT_IS.has(encoding.toLowerCase())) throw new ContentEncodingError(encoding)
  if (body.byteLength > maxBody) throw new EventTooLargeError(maxBody, undefined)
  const { contentType } = properties
  return eventsFromAmqp({
    contentType: contentType === undefined ? undefined : String(contentType),
    properties: headers,
    body,
  })
}

function isRefusal(error: unknown): error is Error {
  return (
    error instanceof EventFormatError ||
    error instanceof UnsupportedMediaTypeError ||
    error instanceof ContentEncodingError ||
    error instanceof EventTooLargeError
  )
}
