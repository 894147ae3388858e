/** The table of dead letters, one statement to a function; all times are the database's. */
import type { DeadMessage, Sql } from '@pacifica/platform'
import { bindings } from '../history/bindings.ts'
import { microsOf, type Place, timeOf } from '../history/page.ts'
import { headersFromText, headersToText } from './headers-text.ts'
import type { Letter, LetterMessage, LetterState, OpenedLetter } from './letter.ts'

const ADD = `
  INSERT INTO dead_letter (key, queue, reason, why, deaths, first_death, last_death, exchange, routing_key, properties,
                           headers, body)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
  ON CONFLICT (key) DO NOTHING RETURNING uuid`

/** The new letter's id; undefined when the message is there already. */
export async function addLetter(
  sql: Sql,
  message: DeadMessage,
  why: string,
): Promise<string | undefined> {
  const { key, death, exchange, routingKey, properties, headers, body } = message
  const { queue, reason, count, first, last } = death ?? {}
  const [row] = await sql.query<{ uuid: string }>(ADD, [
    ...[key, textOf(queue), textOf(reason), textOf(why), Math.min(count ?? 1, MOST_DEATHS)],
    ...[first ?? null, last ?? null, textOf(exchange), textOf(routingKey)],
    ...[JSON.stringify(properties), headersToText(headers), body],
  ])
  return row?.uuid
}

/** An integer of the database. */
const MOST_DEATHS = 2_147_483_647
const MOST_TEXT = 2_000

/** A text column holds no NUL; what is cut off still stands in the message itself. */
function textOf(text: string | undefined): string | null {
  return text?.replaceAll('\u0000', '\uFFFD').slice(0, MOST_TEXT) ?? null
}

const COLUMNS = `
  uuid, ${microsOf('created')} AS micros, queue, reason, why, deaths, first_death AS "firstDeath",
  last_death AS "lastDeath", exchange, routing_key AS "routingKey", properties, octet_length(body) AS bytes, state,
  created, error, settled, settled_by AS "settledBy"`

type Stored = Omit<Letter, 'properties'> & { readonly properties: string }

const read = (row: Stored): Letter => ({ ...row, properties: JSON.parse(row.properties) })

export interface LetterFilter {
  readonly queue?: string | undefined
  readonly state?: LetterState | undefined
  /** When they were taken from the broker: from `since`, before `until`. */
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  readonly after?: Place | undefined
  readonly limit: number
}

/** Newest first; one row more than `limit`, when there is one: it says that there is a next page. */
export async function listLetters(sql: Sql, filter: LetterFilter): Promise<Letter[]> {
  const given = bindings()
  const { queue, state, since, until, after, limit } = filter
  const conditions = ['true']
  if (queue !== undefined) conditions.push(`queue = ${given.bind(queue, 'text')}`)
  if (state !== undefined) conditions.push(`state = ${given.bind(state, 'text')}`)
  if (since !== undefined) conditions.push(`created >= ${given.bind(since, 'timestamptz')}`)
  if (until !== undefined) conditions.push(`created < ${given.bind(until, 'timestamptz')}`)
  if (after !== undefined) {
    const place = `${timeOf(given.bind(after.micros, 'float8'))}, ${given.bind(after.uuid, 'uuid')}`
    conditions.push(`(created, uuid) < (${place})`)
  }
  const rows = await sql.query<Stored>(
    `SELECT ${COLUMNS} FROM dead_letter WHERE ${conditions.join(' AND ')}
     ORDER BY created DESC, uuid DESC LIMIT ${given.bind(limit + 1, 'int')}`,
    given.values,
  )
  return rows.map(read)
}

const OPEN = `SELECT ${COLUMNS}, headers, substring(body FROM 1 FOR $2) AS body FROM dead_letter WHERE uuid = $1`

/** With its headers, and so many bytes of its body. */
export async function openLetter(
  sql: Sql,
  uuid: string,
  most: number,
): Promise<OpenedLetter | undefined> {
  const [row] = await sql.query<Stored & { headers: string; body: Uint8Array }>(OPEN, [uuid, most])
  if (row === undefined) return undefined
  return { ...read(row), headers: headersFromText(row.headers), body: row.body }
}

/** To whoever gets the row it belongs for that long: nobody else sends it. */
const CLAIM = `
  UPDATE dead_letter SET claim = claim + 1, sending_until = now() + $2::float8 * interval '1 ms'
  WHERE uuid = $1 AND state IN ('dead', 'dismissed') AND (sending_until IS NULL OR sending_until < now())
  RETURNING claim, queue, exchange, routing_key AS "routingKey", properties, headers, body`

export interface ClaimedLetter {
  readonly claim: number
  readonly message: LetterMessage
}

interface ClaimedRow {
  readonly claim: number
  readonly queue: string | null
  readonly exchange: string
  readonly routingKey: string
  readonly properties: string
  readonly headers: string
  readonly body: Uint8Array
}

export async function claimLetter(
  sql: Sql,
  uuid: string,
  leaseMs: number,
): Promise<ClaimedLetter | undefined> {
  const [row] = await sql.query<ClaimedRow>(CLAIM, [uuid, leaseMs])
  if (row === undefined) return undefined
  const { claim, properties, headers, ...rest } = row
  const message = {
    ...rest,
    properties: JSON.parse(properties) as LetterMessage['properties'],
    headers: headersFromText(headers),
  }
  return { claim, message }
}

const NOTE_RESENT = `
  UPDATE dead_letter SET state = 'resent', settled = now(), settled_by = $3, sending_until = NULL, error = NULL
  WHERE uuid = $1 AND claim = $2`

export async function noteResent(sql: Sql, uuid: string, claim: number, by: string): Promise<void> {
  await sql.query(NOTE_RESENT, [uuid, claim, by])
}

const NOTE_FAILURE = `
  UPDATE dead_letter SET sending_until = NULL, error = $3 WHERE uuid = $1 AND claim = $2`

export async function noteFailure(
  sql: Sql,
  uuid: string,
  claim: number,
  reason: string,
): Promise<void> {
  await sql.query(NOTE_FAILURE, [uuid, claim, textOf(reason)])
}

const DISMISS = `
  UPDATE dead_letter SET state = 'dismissed', settled = now(), settled_by = $2
  WHERE uuid = $1 AND state = 'dead' AND (sending_until IS NULL OR sending_until < now()) RETURNING uuid`

/** False when there was nothing to put away. */
export async function dismissLetter(sql: Sql, uuid: string, by: string): Promise<boolean> {
  return (await sql.query(DISMISS, [uuid, by])).length > 0
}

const STANDING = `
  SELECT state, settled, settled_by AS by, coalesce(sending_until > now(), false) AS sending
  FROM dead_letter WHERE uuid = $1`

export interface Standing {
  readonly state: LetterState
  readonly settled: Date | null
  readonly by: string | null
  /** Somebody is just sending it. */
  readonly sending: boolean
}

export async function standingOf(sql: Sql, uuid: string): Promise<Standing | undefined> {
  const [row] = await sql.query<Standing>(STANDING, [uuid])
  return row
}
