/**
 * Events in HTTP requests; in binary mode the attributes are `ce-…` headers.
 * https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
 */
import { EventFormatError } from './errors.ts'
import type { Event } from './event.ts'
import type { JsonObject } from './json.ts'
import { eventsIn, formOf } from './modes.ts'

/** Header fields as `node:http` and Fastify give them; names in any case. */
export type HttpHeaders = Readonly<Record<string, string | readonly string[] | undefined>>

/**
 * The events of a request, in order; a batch may hold none. A request without a media type is taken as JSON. Throws
 * `UnsupportedMediaTypeError` or, for the body, `EventFormatError`.
 * @param headers the request's
 * @param body its bytes, decompressed
 * @see [HTTP binding of CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md)
 */
export function eventsFromHttp(headers: HttpHeaders, body: Uint8Array): Event[] {
  const contentType = fieldOf(headers, 'content-type')
  const isBinary = fieldOf(headers, 'ce-specversion') !== undefined
  const form = formOf({ contentType, attributes: isBinary ? {} : undefined }, 'ce-… headers')
  const attributes = form === 'binary' ? attributesIn(headers) : undefined
  return eventsIn(form, { contentType, attributes, body })
}

function attributesIn(headers: HttpHeaders): JsonObject {
  const attributes: [string, string][] = []
  for (const [name, value] of Object.entries(headers)) {
    const lower = name.toLowerCase()
    if (value === undefined || !lower.startsWith('ce-')) continue
    attributes.push([lower.slice('ce-'.length), decodeHeader(textOf(value))])
  }
  const reserved = attributes.find(([name]) => name === 'data' || name === 'data_base64')
  if (reserved) throw new EventFormatError(`header ce-${reserved[0]}: the data is the body`)
  return Object.fromEntries(attributes)
}

/** The last one whose name is `wanted`, which is in lower case. */
function fieldOf(headers: HttpHeaders, wanted: string): string | undefined {
  let found: string | undefined
  for (const name of Object.keys(headers)) {
    if (name.length !== wanted.length || name.toLowerCase() !== wanted) continue
    const value = headers[name]
    if (value !== undefined) found = textOf(value)
  }
  return found
}

function textOf(value: string | readonly string[]): string {
  return typeof value === 'string' ? value : value.join(', ')
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
