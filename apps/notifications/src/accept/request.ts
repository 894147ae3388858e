/** What of a request to /receive is decided by its headers and its size. */
import type { IncomingHttpHeaders } from 'node:http'
import { UnsupportedMediaTypeError } from '@pacifica/core'

export type Form = 'structured' | 'binary' | 'batch'

export class ContentEncodingError extends Error {
  readonly code = 'EVENT_CONTENT_ENCODING'
  constructor(encoding: string) {
    super(`Content-Encoding ${encoding} is not accepted: send the body as it is, uncompressed`)
  }
}

export class EventTooLargeError extends Error {
  readonly code = 'EVENT_TOO_LARGE'
  constructor(maxBody: number, cause: unknown) {
    super(`the body is larger than ${maxBody} bytes, which is what MAX_BODY allows here`, { cause })
  }
}

/** @throws ContentEncodingError */
export function refuseEncoded(headers: IncomingHttpHeaders): void {
  const encoding = headers['content-encoding']?.trim()
  if (encoding && encoding.toLowerCase() !== 'identity') throw new ContentEncodingError(encoding)
}

/** In which of the three forms events came, given that they were taken. */
export function formOf(headers: IncomingHttpHeaders): Form {
  const type = headers['content-type']?.toLowerCase() ?? ''
  if (type.startsWith('application/cloudevents-batch+json')) return 'batch'
  if (type.startsWith('application/cloudevents+json')) return 'structured'
  return headers['ce-specversion'] === undefined ? 'structured' : 'binary'
}

/** Fastify's own refusals in our words; any other error as it is. */
export function refusalOf(error: unknown, contentType: string | undefined, maxBody: number) {
  switch (error instanceof Error && Reflect.get(error, 'code')) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new EventTooLargeError(maxBody, error)
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new UnsupportedMediaTypeError(`${contentType} is no media type: send application/json`)
    default:
      return error
  }
}
