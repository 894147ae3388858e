/** How PostgreSQL's text becomes values, the same on both engines: the list in `database.ts`. */
import pg from 'pg'

type Parse = (text: string) => unknown

/** The types name the scalar oids only. */
const getTypeParser = pg.types.getTypeParser as (oid: number, format?: string) => Parse
const TEXT_ARRAY = 1009
const asText: Parse = (text) => text
const asTexts = getTypeParser(TEXT_ARRAY)

const int8: Parse = (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`The bigint ${text} is no safe integer`)
  return value
}

/** By the type's oid. What is not here is parsed as `pg` does it, and what `pg` does not know stays text. */
const parsers = new Map<number, Parse>([
  [20, int8],
  [1016, (text) => each(asTexts(text), int8)], // int8[]
  [1231, asTexts], // numeric[]
  // Without a time zone there is no point in time to make a Date of.
  [1082, asText], // date
  [1182, asTexts],
  [1114, asText], // timestamp
  [1115, asTexts],
  [1186, asText], // interval
  [1187, asTexts],
])

function each(value: unknown, parse: Parse): unknown {
  if (Array.isArray(value)) return value.map((item) => each(item, parse))
  return value === null ? null : parse(value as string)
}

export const valueTypes = {
  getTypeParser: (oid: number, format?: string) => parsers.get(oid) ?? getTypeParser(oid, format),
} as pg.CustomTypesConfig
