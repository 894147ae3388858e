/** What Metadata makes of the list that Ingest puts: what it refuses, and the event that it sends for it. Pure. */
import type { MetadataEntry } from './ingest-bundle.ts'

const REQUIRED = ['_id', 'submitter', 'instrument', 'project'].map((name) => `Transactions.${name}`)
const FILE_FIELDS = [
  '_id',
  'name',
  'subdir',
  'size',
  'mimetype',
  'hashtype',
  'hashsum',
  'ctime',
  'mtime',
]
/** Keys and values are columns of this many characters. */
const MAX_TEXT = 255

export function entriesFor(entries: readonly MetadataEntry[], table: string): MetadataEntry[] {
  return entries.filter((entry) => entry['destinationTable'] === table)
}

/** The transaction's number. */
export function numberOf(entries: readonly MetadataEntry[]): number {
  return Number(entriesFor(entries, 'Transactions._id')[0]?.['value'])
}

/** What the real one would stumble over, in words like its own; undefined: it takes the list. */
export function mistakeOf(entries: readonly MetadataEntry[]): string | undefined {
  const missing = REQUIRED.find((table) => entriesFor(entries, table).length === 0)
  if (missing !== undefined) return `IndexError: list index out of range (${missing})`
  const tooLong = entriesFor(entries, 'TransactionKeyValue').find(({ key, value }) =>
    [key, value].some((text) => [...String(text)].length > MAX_TEXT),
  )
  if (tooLong !== undefined) {
    return `peewee.DataError: value too long for type character varying(${MAX_TEXT}) (${tooLong['key']})`
  }
  for (const file of entriesFor(entries, 'Files')) {
    const absent = FILE_FIELDS.find((field) => file[field] === undefined)
    if (absent !== undefined) return `KeyError: '${absent}'`
  }
  return undefined
}

/** A CloudEvent 0.1, its fields in the order in which the real one writes them. */
export function announcement(entries: readonly MetadataEntry[], now: Date): string {
  const number = numberOf(entries)
  return JSON.stringify({
    cloudEventsVersion: '0.1',
    eventType: 'org.pacifica.metadata.ingest',
    source: `http://metadata.pacifica.org/transactions?_id=${number}`,
    eventID: `metadata.ingest.${number}`,
    eventTime: localTime(now),
    extensions: {},
    contentType: 'application/json',
    data: entries,
  })
}

/** As the real one: local time without saying so. */
function localTime(date: Date): string {
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)
}
