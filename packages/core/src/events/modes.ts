/**
 * The three forms in which an event travels, whatever carries it: structured (the body is the event), binary (the
 * attributes stand beside the body, which is the data) and batch (the body is a list of events).
 */
import { isUtf8 } from 'node:buffer'
import { EventFormatError, UnsupportedMediaTypeError } from './errors.ts'
import { Event, MAX_EVENT_DEPTH } from './event.ts'
import type { JsonObject } from './json.ts'
import { deeperThan, elementsOf, setMembers, skipSpace } from './json-text.ts'
import { jsonTexts } from './v01.ts'

export const STRUCTURED = 'application/cloudevents+json'
export const BATCH = 'application/cloudevents-batch+json'

/**
 * The body is the event; the body is its data and the attributes stand beside it; or the body is a list of events.
 */
export type Form = 'structured' | 'binary' | 'batch'

/** A message that carries events, as its binding reads it. */
export interface Carried {
  /** Without one the body is taken as JSON. */
  readonly contentType: string | undefined
  /** The event's attributes where they stand beside the body; undefined when there are none. */
  readonly attributes: JsonObject | undefined
  readonly body: Uint8Array
}

interface MediaType {
  readonly essence: string
  readonly charset: string | undefined
}

/** @throws UnsupportedMediaTypeError when it is none of the three; the last of it says what else could be sent */
export function formOf({ contentType, attributes }: Omit<Carried, 'body'>, orSend: string): Form {
  const { essence } = parseMediaType(contentType ?? 'application/json')
  if (essence === BATCH) return 'batch'
  if (essence === STRUCTURED) return 'structured'
  if (attributes !== undefined) return 'binary'
  if (essence === 'application/json') return 'structured'
  const given = essence.startsWith('application/cloudevents') ? 'This form of events' : 'This'
  throw new UnsupportedMediaTypeError(
    `${given} is not accepted: ${essence}. Send application/json, ${STRUCTURED}, ${BATCH}, or ${orSend}`,
  )
}

/**
 * The events that it carries, in order; a batch may hold none.
 * @throws EventFormatError, UnsupportedMediaTypeError
 */
export function eventsIn(form: Form, { contentType, attributes = {}, body }: Carried): Event[] {
  const media = parseMediaType(contentType ?? 'application/json')
  switch (form) {
    case 'batch':
      return batchOf(textOf(body, media))
    case 'structured':
      return [structured(body, media)]
    case 'binary':
      return [binary(attributes, body, contentType)]
  }
}

function structured(body: Uint8Array, media: MediaType): Event {
  requireUtf8(media)
  return Event.parse(body)
}

function batchOf(text: string): Event[] {
  if (deeperThan(text, MAX_EVENT_DEPTH + 1)) {
    throw new EventFormatError(`an event is nested more than ${MAX_EVENT_DEPTH} levels deep`)
  }
  if (!Array.isArray(parseJson(text, 'the batch'))) {
    throw new EventFormatError('a batch must be a JSON list of events')
  }
  const spans = elementsOf(text, skipSpace(text, 0))
  return spans.map(({ start, end }, index) => element(text.slice(start, end), index))
}

function element(text: string, index: number): Event {
  try {
    return Event.parse(Buffer.from(text)) // a part of a text would keep the whole batch in memory
  } catch (cause) {
    if (!(cause instanceof EventFormatError)) throw cause
    const member = cause.member === undefined ? {} : { member: cause.member }
    throw new EventFormatError(`event ${index + 1} of the batch: ${cause.message}`, {
      ...member,
      cause,
    })
  }
}

function binary(given: JsonObject, body: Uint8Array, contentType: string | undefined): Event {
  const attributes = contentType === undefined ? given : { ...given, datacontenttype: contentType }
  const members = jsonTexts(attributes)
  const [name, data] = dataMember(body, parseMediaType(contentType ?? 'application/json'))
  if (data !== undefined) members.set(name, data)
  return Event.parse(setMembers('{}', members))
}

/** JSON is embedded as it is, text becomes a string, anything else base64. */
function dataMember(body: Uint8Array, media: MediaType): [string, string | undefined] {
  if (body.byteLength === 0) return ['data', undefined]
  const { essence } = media
  if (essence === 'application/json' || essence.endsWith('+json')) {
    const text = textOf(body, media)
    parseJson(text, 'the data')
    return ['data', text.trim()]
  }
  const isText = essence.startsWith('text/') && isUtf8Name(media.charset) && isUtf8(body)
  if (isText) return ['data', JSON.stringify(bufferOf(body).toString('utf8'))]
  return ['data_base64', JSON.stringify(bufferOf(body).toString('base64'))]
}

function textOf(body: Uint8Array, media: MediaType): string {
  requireUtf8(media)
  if (!isUtf8(body)) throw new EventFormatError('the body is not valid UTF-8')
  return bufferOf(body).toString('utf8')
}

function parseJson(text: string, what: string): unknown {
  if (text.startsWith('\uFEFF')) throw new EventFormatError(`${what} begins with a byte order mark`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new EventFormatError(`${what} is not JSON: ${(cause as Error).message}`, { cause })
  }
}

function requireUtf8(media: MediaType): void {
  if (isUtf8Name(media.charset)) return
  throw new UnsupportedMediaTypeError(`charset ${media.charset} is not accepted; send UTF-8`)
}

function isUtf8Name(charset: string | undefined): boolean {
  return charset === undefined || ['utf-8', 'utf8', 'us-ascii', 'ascii'].includes(charset)
}

function parseMediaType(text: string): MediaType {
  if (!text.includes(';')) return { essence: text.trim().toLowerCase(), charset: undefined }
  const [essence = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((each) => each.startsWith('charset='))
  return { essence, charset: charset?.slice('charset='.length).replaceAll('"', '') }
}

function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
