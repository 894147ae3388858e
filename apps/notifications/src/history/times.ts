/** Times that a request names. */
import { Type } from '@fastify/type-provider-typebox'

export const Instant = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2026-11-22T00:00:00Z'] })

export class BadTimeError extends Error {
  readonly code = 'BAD_TIME'
  readonly errors: readonly { path: string; message: string }[]
  constructor(path: string, message: string) {
    super(`${path} ${message}`)
    this.errors = [{ path, message }]
  }
}

/** Of a text that the schema has passed as a date-time. Times before 1970 are read as 1970: no event is older. */
export function instant(text: string, path: string): Date {
  const milliseconds = Date.parse(text)
  if (Number.isNaN(milliseconds)) throw new BadTimeError(path, `is no time: '${text}'`)
  return new Date(Math.max(0, milliseconds))
}

/** @throws BadTimeError also when the range is empty because it was turned round */
export function range(
  given: { since?: string | undefined; until?: string | undefined },
  place: '' | 'query',
): { since: Date | undefined; until: Date | undefined } {
  const since = given.since === undefined ? undefined : instant(given.since, `${place}/since`)
  const until = given.until === undefined ? undefined : instant(given.until, `${place}/until`)
  if (since !== undefined && until !== undefined && until <= since)
    throw new BadTimeError(`${place}/until`, 'must be later than since')
  return { since, until }
}
