/** What the pipeline's benchmarks are about: subscriptions of many users on some hosts, and events for them. */
import { randomUUID } from 'node:crypto'
import type { Database } from '@pacifica/platform'

/** Targets lie on so many hosts, and belong to so many users. */
const HOSTS = 8
const USERS = 100

export const ownerOf = (place: number) => `user ${place % USERS}`
export const targetOf = (place: number, port: number) =>
  `http://127.0.0.${(place % HOSTS) + 1}:${port}/target/${place}`

const SUBSCRIBE = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  SELECT gen_random_uuid(), 'n' || place, expression, owner, target, 1
  FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS s (place, expression, owner, target)`

/** Subscriptions 0, 1, 2 …; `expressionOf` says what each is for. */
export async function subscribe(
  database: Database,
  count: number,
  port: number,
  expressionOf: (place: number) => string,
): Promise<void> {
  const places = Array.from({ length: count }, (_, place) => place)
  await database.query(SUBSCRIBE, [
    places,
    places.map(expressionOf),
    places.map(ownerOf),
    places.map((place) => targetOf(place, port)),
  ])
}

const TYPE = 'org.pacifica.bench.'

/** The subscription that an event of this type is for. */
export const placeOf = (type: string) => Number(type.slice(TYPE.length))
export const expressionFor = (place: number) => `$[?(@.eventType = "${TYPE}${place}")]`

/** An event as Metadata sends them, of 1.5 kB. */
export function eventFor(place: number): string {
  const eventID = randomUUID()
  const files = Array.from({ length: 4 }, (_, n) => ({
    ...{
      destinationTable: 'Files',
      _id: n,
      name: `${eventID}.${n}.txt`,
      subdir: 'data/run',
      size: 128,
    },
    ...{
      hashtype: 'sha1',
      hashsum: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15',
      mimetype: 'text/plain',
    },
    ...{ ctime: '2016-11-29T14:09:05', mtime: '2016-11-29T14:09:05' },
  }))
  return JSON.stringify({
    ...{ cloudEventsVersion: '0.1', eventType: `${TYPE}${place}`, eventID, source: '/bench' },
    ...{ eventTime: '2019-01-09T09:17:26', extensions: {}, contentType: 'application/json' },
    data: [
      { destinationTable: 'Transactions._id', value: place },
      { destinationTable: 'Transactions.submitter', value: 10 },
      { destinationTable: 'Transactions.project', value: '1234é' },
      { destinationTable: 'Transactions.instrument', value: 54 },
      { destinationTable: 'TransactionKeyValue', key: 'Tag', value: 'Blah' },
      ...files,
    ],
  })
}
