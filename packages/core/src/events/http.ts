/**
 * Events in HTTP requests: structured (the body is the event), binary (the attributes are `ce-…` headers, the body is
 * the data) and batch (the body is a list of events).
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
import { isUtf8 } from 'node:buffer'
import { EventFormatError, UnsupportedMediaTypeError } from './errors.ts'
import { Event, MAX_EVENT_DEPTH } from './event.ts'
import { deeperThan, elementsOf, setMembers, skipSpace } from './json-text.ts'
import { jsonTexts } from './v01.ts'

/** Header fields as `node:http` and Fastify give them; names in any case. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

interface MediaType {
  readonly essence: string
  readonly charset: string | undefined
}

const STRUCTURED = 'application/cloudevents+json'
const BATCH = 'application/cloudevents-batch+json'

/**
 * The events of a request, in order; a batch may hold none. A request without a media type is taken as JSON. Throws
 * `UnsupportedMediaTypeError` or, for the body, `EventFormatError`.
 */
export function eventsFromHttp(headers: HttpHeaders, body: Uint8Array): Event[] {
  const fields = lowerCase(headers)
  const contentType = fields.get('content-type')
  const media = parseMediaType(contentType ?? 'application/json')
  if (media.essence === BATCH) return batchOf(textOf(body, media))
  if (media.essence === STRUCTURED) return [structured(body, media)]
  if (fields.has('ce-specversion')) return [binary(fields, body, contentType)]
  if (media.essence === 'application/json') return [structured(body, media)]
  const given = media.essence.startsWith('application/cloudevents') ? 'This form of events' : 'This'
  throw new UnsupportedMediaTypeError(
    `${given} is not accepted: ${media.essence}. Send application/json, ${STRUCTURED}, ${BATCH}, or ce-… headers`,
  )
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
    return Event.parse(text)
  } catch (cause) {
    if (!(cause instanceof EventFormatError)) throw cause
    const member = cause.member === undefined ? {} : { member: cause.member }
    throw new EventFormatError(`event ${index + 1} of the batch: ${cause.message}`, {
      ...member,
      cause,
    })
  }
}

function binary(
  fields: ReadonlyMap<string, string>,
  body: Uint8Array,
  contentType: string | undefined,
): Event {
  const attributes: [string, string][] = []
  for (const [name, value] of fields) {
    if (name.startsWith('ce-')) attributes.push([name.slice('ce-'.length), decodeHeader(value)])
  }
  const reserved = attributes.find(([name]) => name === 'data' || name === 'data_base64')
  if (reserved) throw new EventFormatError(`header ce-${reserved[0]}: the data is the body`)
  if (contentType !== undefined) attributes.push(['datacontenttype', contentType])
  const members = jsonTexts(Object.fromEntries(attributes))
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
  const [essence = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const charset = parameters.find((each) => each.startsWith('charset='))
  return { essence, charset: charset?.slice('charset='.length).replaceAll('"', '') }
}

function lowerCase(headers: HttpHeaders): Map<string, string> {
  const fields = new Map<string, string>()
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined) continue
    fields.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(', '))
  }
  return fields
}

/** Quotes and backslashes off, then one round of percent-decoding; a stray `%` stands for itself. */
function decodeHeader(value: string): string {
  const quoted = /^"(.*)"$/.exec(value.trim())
  const bare = quoted?.[1]?.replaceAll(/\\(.)/g, '$1') ?? value.trim()
  try {
    return decodeURIComponent(bare)
  } catch {
    return bare
  }
}

function bufferOf(body: Uint8Array): Buffer {
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength)
}
