/**
 * The two events that every new expression is tried on, so that one that does far too much work is refused when it is
 * given and not found out by deliveries that fail: one such as Pacifica Metadata sends for an ordinary transaction
 * (4.7 kB), and one that is nested forty deep, which is what searches with `..` in one another cannot stand.
 */
import { Event } from '@pacifica/core'
import { type CompiledPath, JsonPathLimitError } from '@pacifica/jsonpath'

const FILES = 12
const KEYS = 19
const DEPTH = 40

/** Why an expression is refused after trying it; undefined when it may stay. */
export function refuseWork(compiled: CompiledPath, version: 'v0.1' | 'v1.0'): string | undefined {
  for (const { what, event } of PROBES) {
    try {
      compiled.test(event.project(version))
    } catch (error) {
      if (!(error instanceof JsonPathLimitError)) throw error
      const hint = error.hint === undefined ? '' : `; ${error.hint}`
      return `tried on ${what}: ${error.message}${hint}`
    }
  }
  return undefined
}

const PROBES = [
  { what: 'an ordinary event', event: probe(ordinaryData()) },
  { what: `an event that is nested ${DEPTH} deep`, event: probe(nestedData()) },
]

function probe(data: unknown): Event {
  return Event.parse(
    JSON.stringify({
      cloudEventsVersion: '0.1',
      eventType: 'org.pacifica.metadata.ingest',
      source: 'http://metadata.pacifica.org/transactions?_id=67',
      eventID: 'metadata.ingest.67',
      eventTime: '2019-01-09T09:17:26',
      extensions: {},
      contentType: 'application/json',
      data,
    }),
  )
}

function ordinaryData(): unknown[] {
  const files = Array.from({ length: FILES }, (_, number) => ({
    destinationTable: 'Files',
    _id: number,
    name: `spectrum-${number}.txt`,
    subdir: 'a/b',
    size: 128 + number,
    hashtype: 'sha1',
    hashsum: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15',
    mimetype: 'text/plain',
    ctime: '2016-11-29T14:09:05',
    mtime: '2016-11-29T14:09:05',
  }))
  const keys = Array.from({ length: KEYS }, (_, number) => ({
    destinationTable: 'TransactionKeyValue',
    key: `Tag ${number}`,
    value: `${number}.66%`,
  }))
  return [
    { destinationTable: 'Transactions._id', value: 67 },
    { destinationTable: 'Transactions.submitter', value: 10 },
    { destinationTable: 'Transactions.project', value: '1234é' },
    { destinationTable: 'Transactions.instrument', value: 54 },
    ...keys,
    ...files,
  ]
}

function nestedData(): unknown {
  let value: unknown = 'deep'
  for (let level = 0; level < DEPTH; level += 1) value = { a: value, b: level }
  return value
}
