/**
 * The list of events, newest first. An admin's list reads `eventlog` itself; a user's begins at their deliveries, read in
 * order by an index, so that it costs what the page holds and not what the table holds, nor how many subscriptions.
 */
import type { Sql } from '@pacifica/platform'
import type { DeliveryState } from '../deliver/delivery.ts'
import { type Bindings, bindings } from './bindings.ts'
import { microsOf, type Place, timeOf } from './page.ts'
import type { Viewer } from './viewer.ts'

export const EVENT_STATES = ['new', 'matched', 'unmatchable'] as const
export type EventState = (typeof EVENT_STATES)[number]

export const DELIVERY_STATES = [
  'pending',
  'denied',
  'delivering',
  'delivered',
  'retrying',
  'exhausted',
  'held',
  'cancelled',
  'failed',
] as const satisfies readonly DeliveryState[]

export interface EventFilter {
  readonly type?: string | undefined
  readonly source?: string | undefined
  /** Of the event, or of one of its deliveries that the viewer sees: the names differ. */
  readonly state?: EventState | DeliveryState | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  readonly after?: Place | undefined
  readonly limit: number
}

export interface ListedEvent {
  readonly uuid: string
  readonly micros: number
  readonly created: Date
  readonly state: EventState
  readonly reason: string | null
  readonly matched: Date | null
  readonly matchCount: number | null
  readonly type: string | null
  readonly source: string | null
  readonly id: string | null
  readonly time: string | null
  /** The viewer may see the event itself. */
  readonly readable: boolean
  /** Deliveries that the viewer sees, by state. */
  readonly deliveries: Record<string, number>
}

/** One row more than `limit`, when there is one: it says that there is a next page. */
export function listEvents(sql: Sql, filter: EventFilter, viewer: Viewer): Promise<ListedEvent[]> {
  const given = bindings()
  const user = viewer.admin ? undefined : given.bind(viewer.user, 'text')
  const query = { filter, given, limit: given.bind(filter.limit + 1, 'int') }
  const page = user === undefined ? ofEverybody(query) : ofUser(query, user)
  return sql.query<ListedEvent>(described(page, user), given.values)
}

interface Query {
  readonly filter: EventFilter
  readonly given: Bindings
  readonly limit: string
}

/** Of unmatchable events, and of deliveries that have not been made, there are few, and an index. */
function ofEverybody(query: Query): string {
  const state = deliveryState(query.filter)
  const own = eventConditions(query)
  if (query.filter.state === 'unmatchable')
    return `
      SELECT s.received AS created, s.event AS uuid FROM event_state s JOIN eventlog e ON e.uuid = s.event
      ${where([...own, ...place(query, 's.received', 's.event')])}
      ORDER BY s.received DESC, s.event DESC LIMIT ${query.limit}`
  if (state === undefined || state === 'delivered') {
    if (state === 'delivered') own.push(DELIVERED)
    return `
      SELECT e.created, e.uuid FROM eventlog e ${joinState(query.filter, 'e.uuid')}
      ${where([...own, ...place(query, 'e.created', 'e.uuid')])}
      ORDER BY e.created DESC, e.uuid DESC LIMIT ${query.limit}`
  }
  const conditions = [...own, ...place(query, 'd.received', 'd.event'), inState(state)]
  return `
    SELECT DISTINCT d.received AS created, d.event AS uuid
    FROM delivery d JOIN eventlog e ON e.uuid = d.event ${where(conditions)}
    ORDER BY 1 DESC, 2 DESC LIMIT ${query.limit}`
}

/** A count, not EXISTS: it is looked up for each event in turn, and the table never read as a whole. */
const DELIVERED = `(SELECT count(*) FROM delivery d WHERE d.event = e.uuid AND d.state = 'delivered') > 0`

function ofUser(query: Query, user: string): string {
  const { filter, limit } = query
  const state = deliveryState(filter)
  if (state === 'delivered') return ofOwner(query, user, [inState(state)])
  if (state !== undefined) return bySubscription(query, user, state)
  return `
    WITH newest AS (${ofOwner(query, user, [])})
    SELECT DISTINCT created, uuid FROM (
      SELECT created, uuid FROM newest UNION ALL ${ofPython(query, user)}) found
    ORDER BY created DESC, uuid DESC LIMIT ${limit}`
}

/** Most of what a user has: the newest of it are found at once. */
function ofOwner(query: Query, user: string, states: readonly string[]): string {
  const conditions = [`d.owner = ${user}`, ...states, ...ofDelivery(query, user)]
  return `
    SELECT DISTINCT d.received AS created, d.event AS uuid FROM ${deliveries(query)} ${where(conditions)}
    ORDER BY 1 DESC, 2 DESC LIMIT ${query.limit}`
}

/** Few deliveries are not delivered, and each subscription's have an index. */
function bySubscription(query: Query, user: string, state: DeliveryState): string {
  const conditions = ['d.subscription = m.uuid', inState(state), ...ofDelivery(query, user)]
  return `
    SELECT DISTINCT newest.created, newest.uuid FROM eventmatch m CROSS JOIN LATERAL (
      SELECT d.received AS created, d.event AS uuid FROM ${deliveries(query)} ${where(conditions)}
      ORDER BY d.received DESC, d.event DESC LIMIT ${query.limit}) newest
    WHERE m."user" = ${user}
    ORDER BY 1 DESC, 2 DESC LIMIT ${query.limit}`
}

/** With their events, and the states of these, only where they are asked about. */
function deliveries({ filter }: Query): string {
  const event = looksInside(filter) ? 'JOIN eventlog e ON e.uuid = d.event' : ''
  return `delivery d ${event} ${joinState(filter, 'd.event')}`
}

function joinState(filter: EventFilter, event: string): string {
  return eventState(filter) === undefined ? '' : `JOIN event_state s ON s.event = ${event}`
}

function ofDelivery(query: Query, user: string): string[] {
  // Who may not read an event must not find out its type and source by looking for them.
  const readable = looksInside(query.filter) ? [saidYes('e.uuid', user)] : []
  return [...eventConditions(query), ...place(query, 'd.received', 'd.event'), ...readable]
}

/**
 * What the Python service delivered to the user; it knew no states like ours. Its notes are looked at when the page has
 * room, or reaches back to their time.
 */
function ofPython(query: Query, user: string): string {
  const { filter } = query
  const conditions = [
    `m."user" = ${user}`,
    `(SELECT count(*) < ${query.limit} OR min(created) <= (SELECT max(created) FROM eventlogmatch) FROM newest)`,
    ...eventConditions(query),
    ...place(query, 'e.created', 'e.uuid'),
    ...(looksInside(filter) ? [`l.policy_status_code LIKE '2__'`] : []),
  ]
  return `
      SELECT e.created, e.uuid FROM eventmatch m JOIN eventlogmatch l ON l.event_match_id = m.uuid
      JOIN eventlog e ON e.uuid = l.event_log_id ${joinState(filter, 'e.uuid')} ${where(conditions)}`
}

function looksInside({ type, source }: EventFilter): boolean {
  return type !== undefined || source !== undefined
}

function described(page: string, user: string | undefined): string {
  const readable =
    user === undefined ? 'true' : `${saidYes('e.uuid', user)} OR ${pythonSaidYes('e.uuid', user)}`
  const visible = user === undefined ? '' : `AND d.owner = ${user}`
  return `
    WITH page AS (${page})
    SELECT e.uuid, e.created, ${microsOf('e.created')} AS micros, s.state, s.reason, s.matched,
      s.match_count AS "matchCount", e.event_type AS type, e.source, e.event_id AS id, e.event_time AS time,
      (${readable}) AS readable, coalesce(counted.states, '{}') AS deliveries
    FROM page JOIN eventlog e ON e.uuid = page.uuid JOIN event_state s ON s.event = page.uuid
    CROSS JOIN LATERAL (
      SELECT jsonb_object_agg(c.state, c.count) AS states FROM (
        SELECT d.state, count(*)::int AS count FROM delivery d WHERE d.event = e.uuid ${visible}
        GROUP BY d.state) c) counted
    ORDER BY e.created DESC, e.uuid DESC`
}

function eventConditions({ filter, given }: Query): string[] {
  const conditions: string[] = []
  for (const [column, text] of [
    ['event_type', filter.type],
    ['source', filter.source],
  ] as const) {
    if (text === undefined) continue
    const wanted = given.bind(text, 'text')
    // The index has the first 200 characters. Said twice, PostgreSQL would take the condition for twice as rare.
    const whole = text.length < 200 ? '' : ` AND e.${column} = ${wanted}`
    conditions.push(`left(e.${column}, 200) = left(${wanted}, 200)${whole}`)
  }
  const state = eventState(filter)
  if (state !== undefined) conditions.push(`s.state = '${state}'`)
  return conditions
}

/** The range of time, and what comes after the page before. */
function place({ filter, given }: Query, time: string, uuid: string): string[] {
  const { since, until, after } = filter
  const conditions: string[] = []
  if (since !== undefined) conditions.push(`${time} >= ${given.bind(since, 'timestamptz')}`)
  if (until !== undefined) conditions.push(`${time} < ${given.bind(until, 'timestamptz')}`)
  if (after !== undefined) {
    const micros = given.bind(after.micros, 'bigint')
    conditions.push(`(${time}, ${uuid}) < (${timeOf(micros)}, ${given.bind(after.uuid, 'uuid')})`)
  }
  return conditions
}

function eventState({ state }: EventFilter): EventState | undefined {
  return EVENT_STATES.find((name) => name === state)
}

function deliveryState({ state }: EventFilter): DeliveryState | undefined {
  return DELIVERY_STATES.find((name) => name === state)
}

/** Written out, not bound: the indexes of what is not delivered are chosen by it. */
export function inState(state: DeliveryState): string {
  return `d.state = '${state}'`
}

/** A value, not EXISTS, for the same reason. */
const saidYes = (event: string, user: string) =>
  `coalesce((SELECT p.state FROM policy_answer p WHERE p.event = ${event} AND p.owner = ${user}) = 'allowed', false)`

const pythonSaidYes = (event: string, user: string) =>
  `(SELECT count(*) FROM eventlogmatch l JOIN eventmatch m ON m.uuid = l.event_match_id
    WHERE l.event_log_id = ${event} AND m."user" = ${user} AND l.policy_status_code LIKE '2__') > 0`

function where(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
}
