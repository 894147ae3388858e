/** What a client is told of an error: the one place where errors become HTTP statuses. */
import type { FastifyError } from 'fastify'
import { maskCredentials } from '../telemetry/redact.ts'
import type { ErrorPlace, ErrorTable, Fault } from './error-reply.ts'
import { validationPlaces } from './validation.ts'

/**
 * An error in the table gives its message, its code and, if it has them, its `errors` (path and message each), its
 * `challenge` (as WWW-Authenticate) and its `retryAfterS` (as Retry-After, in seconds).
 * Fastify's own refusals of bad requests give theirs. Of everything else the client learns only the request's id.
 */
export function faultOf(error: unknown, errors: ErrorTable, requestId: string): Fault {
  const { code, statusCode, validation, validationContext } = membersOf(error)
  const message = error instanceof Error ? maskCredentials(error.message) : ''
  if (validation !== undefined) {
    const places = validationPlaces(validation, validationContext ?? 'body')
    return { status: 400, message: summary(places), errors: places, code: 'VALIDATION' }
  }
  const status = code !== undefined && Object.hasOwn(errors, code) ? errors[code] : undefined
  if (code !== undefined && status !== undefined) {
    const places = placesOf(error)
    const headers = headersOf(error)
    return { status, message, ...(places && { errors: places }), code, ...(headers && { headers }) }
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500 && isFromFastify(code)) {
    return { status: statusCode, message }
  }
  return { status: 500, message: `internal error (request id ${requestId})` }
}

function membersOf(error: unknown): Partial<FastifyError> {
  return error instanceof Error ? error : {}
}

/** Refusals of the body parsers, and a client that broke off. */
const OURS = ['BODY_NOT_JSON', 'BODY_MEDIA_TYPE', 'ECONNRESET']

function isFromFastify(code: string | undefined): boolean {
  return code?.startsWith('FST_') === true || OURS.includes(code ?? '')
}

function placesOf(error: unknown): ErrorPlace[] | undefined {
  const places: unknown = error instanceof Error ? Reflect.get(error, 'errors') : undefined
  if (error instanceof AggregateError || !Array.isArray(places)) return undefined
  return places.filter(isPlace).map(({ path, message, hint, offset }) => ({
    ...{ path, message },
    ...(typeof hint === 'string' ? { hint } : {}),
    ...(typeof offset === 'number' ? { offset } : {}),
  }))
}

function headersOf(error: unknown): Record<string, string> | undefined {
  if (!(error instanceof Error)) return undefined
  const challenge: unknown = Reflect.get(error, 'challenge')
  const retryAfterS: unknown = Reflect.get(error, 'retryAfterS')
  const headers = {
    ...(typeof challenge === 'string' && { 'www-authenticate': challenge }),
    ...(typeof retryAfterS === 'number' && { 'retry-after': String(Math.ceil(retryAfterS)) }),
  }
  return Object.keys(headers).length === 0 ? undefined : headers
}

function isPlace(value: unknown): value is ErrorPlace {
  if (typeof value !== 'object' || value === null) return false
  return (
    typeof Reflect.get(value, 'path') === 'string' &&
    typeof Reflect.get(value, 'message') === 'string'
  )
}

const MOST_IN_SUMMARY = 3

function summary(places: readonly ErrorPlace[]): string {
  const shown = places.slice(0, MOST_IN_SUMMARY).map(({ path, message }) => `${path} ${message}`)
  const more = places.length - shown.length
  return more > 0 ? `${shown.join('; ')}; and ${more} more` : shown.join('; ')
}
