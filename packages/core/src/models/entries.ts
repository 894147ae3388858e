/** The entries of an event's `data`: objects that say by `destinationTable` what they describe. */
import type { Event } from '../events/event.ts'
import { isJsonObject, type JsonObject } from '../events/json.ts'
import { EventFieldError } from './errors.ts'

/** What Metadata writes as an attribute's value: ids are numbers or strings. */
export type Scalar = string | number | boolean

/**
 * The entries for one table, in order. `data` is a list in ingest events; of an object (…orm, …doiupdate) the values
 * are looked at, as the Python models do; anything else has no entries.
 */
export function entriesFor(event: Event, table: string): JsonObject[] {
  const { data } = event
  if (typeof data !== 'object' || data === null || ArrayBuffer.isView(data)) return []
  const entries: unknown[] = Array.isArray(data) ? data : Object.values(data)
  return entries.filter(isJsonObject).filter((entry) => entry['destinationTable'] === table)
}

/** Takes fields out of one entry; null counts as absent. The errors name the table and the field. */
export interface EntryReader {
  text(field: string): string | undefined
  number(field: string): number | undefined
  scalar(field: string): Scalar | undefined
}

export function entryReader(event: Event, table: string, entry: JsonObject): EntryReader {
  const read = (field: string, kinds: readonly string[]): unknown => {
    const value = entry[field] ?? undefined
    if (value === undefined || kinds.includes(typeof value)) return value
    const reason = `must be a ${kinds.join(' or ')}, not ${JSON.stringify(value)?.slice(0, 100)}`
    throw new EventFieldError(`${table}: "${field}"`, reason, event)
  }
  return {
    text: (field) => read(field, ['string']) as string | undefined,
    number: (field) => read(field, ['number']) as number | undefined,
    scalar: (field) => read(field, ['string', 'number', 'boolean']) as Scalar | undefined,
  }
}
