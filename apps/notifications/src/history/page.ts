/**
 * Pages of a list that is ordered by a time and then a uuid, both descending. The cursor is the last row's place, not a
 * number of rows: what is inserted meanwhile moves nothing from one page to another.
 */
import { Type } from '@fastify/type-provider-typebox'

export interface Place {
  /** Microseconds since 1970: a Date would lose three digits of the database's time. */
  readonly micros: number
  readonly uuid: string
}

export class BadCursorError extends Error {
  readonly code = 'CURSOR_INVALID'
  constructor() {
    super('cursor is none that this service gave: take it from the Link header of the page before')
  }
}

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'Rows of a page; 100 when not given.' }),
  ),
  cursor: Type.Optional(
    Type.String({
      maxLength: 200,
      description: 'Where the page begins: from the `Link: <…>; rel="next"` of the page before.',
    }),
  ),
}

export const DEFAULT_LIMIT = 100

/** For the reply's schema. */
export const pageHeaders = {
  link: Type.String({
    description: 'With `rel="next"` while there is more; relative to the URL that was asked for.',
    examples: ['<?limit=100&cursor=MTc5NTMxMjM0NTY3ODkwMTo…>; rel="next"'],
  }),
}

/** @throws BadCursorError */
export function readCursor(cursor: string | undefined): Place | undefined {
  if (cursor === undefined) return undefined
  const text = Buffer.from(cursor, 'base64url').toString('latin1')
  const [, micros, uuid] =
    /^(\d{1,16}):([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(text) ?? []
  if (micros === undefined || uuid === undefined) throw new BadCursorError()
  const place = { micros: Number(micros), uuid }
  if (place.micros > LAST_MICROS) throw new BadCursorError()
  return place
}

/** In the year 2255: up to here a number is exact. */
const LAST_MICROS = Number.MAX_SAFE_INTEGER

export function writeCursor({ micros, uuid }: Place): string {
  return Buffer.from(`${micros}:${uuid}`, 'latin1').toString('base64url')
}

/** Cuts off the one row that was read beyond the page, and says where the next page begins. */
export function pageOf<R>(
  rows: readonly R[],
  limit: number,
  placeOf: (row: R) => Place,
): { rows: R[]; next: string | undefined } {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const more = rows.length > limit && last !== undefined
  return { rows: page, next: more ? writeCursor(placeOf(last)) : undefined }
}

/**
 * The Link header of a page. It is relative to the URL that was asked for, so that it holds behind a proxy that serves
 * this API under another path.
 */
export function nextLink(query: object, next: string | undefined): { link?: string } {
  if (next === undefined) return {}
  const parameters = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...query, cursor: next }))
    if (value !== undefined) parameters.set(name, String(value))
  return { link: `<?${parameters}>; rel="next"` }
}

/** For SQL: a time as microseconds, and back. */
export const microsOf = (column: string) => `(extract(epoch FROM ${column}) * 1000000)::bigint`
export const timeOf = (micros: string) =>
  `(timestamptz 'epoch' + ${micros}::float8 * interval '1 microsecond')`
