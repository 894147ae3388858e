/** One event and all that became of it, as far as the viewer may see it. */
import type { Sql } from '@pacifica/platform'
import { type DeliveryRow, deliveriesOfEvent } from './deliveries.ts'
import type { Viewer } from './viewer.ts'

/** What the Python service recorded of a delivery. */
export interface PythonDelivery {
  readonly uuid: string
  readonly subscription: string
  readonly name: string
  readonly policyStatusCode: string
  readonly policyBody: string
  readonly targetStatusCode: string | null
  readonly targetBody: string | null
  readonly created: Date
}

export interface EventRow {
  readonly uuid: string
  readonly created: Date
  readonly jsondata: string
  readonly state: string
  readonly reason: string | null
  readonly matched: Date | null
  readonly matchCount: number | null
  readonly type: string | null
  readonly source: string | null
  readonly id: string | null
  readonly time: string | null
  /** Policy's yes to the viewer is recorded. */
  readonly allowed: boolean
}

export interface EventHistory extends EventRow {
  readonly readable: boolean
  readonly deliveries: readonly DeliveryRow[]
  /** There are more than are shown. */
  readonly more: boolean
  readonly python: readonly PythonDelivery[]
}

const MOST_DELIVERIES = 1000
const EXCERPT = 4096

const event = `
  SELECT e.uuid, e.created, e.jsondata, s.state, s.reason, s.matched, s.match_count AS "matchCount",
    e.event_type AS type, e.source, e.event_id AS id, e.event_time AS time,
    EXISTS (SELECT 1 FROM policy_answer p WHERE p.event = e.uuid AND p.owner = $2 AND p.state = 'allowed') AS allowed
  FROM eventlog e JOIN event_state s ON s.event = e.uuid WHERE e.uuid = $1`

const python = `
  SELECT l.uuid, l.event_match_id AS subscription, m.name, l.policy_status_code AS "policyStatusCode",
    left(l.policy_resp_body, ${EXCERPT}) AS "policyBody", l.target_status_code AS "targetStatusCode",
    left(l.target_resp_body, ${EXCERPT}) AS "targetBody", l.created
  FROM eventlogmatch l JOIN eventmatch m ON m.uuid = l.event_match_id
  WHERE l.event_log_id = $1 AND ($2::text IS NULL OR m."user" = $2)
  ORDER BY l.created, l.uuid LIMIT ${MOST_DELIVERIES}`

/** Undefined when there is no such event. */
export async function findEvent(
  sql: Sql,
  uuid: string,
  viewer: Viewer,
): Promise<EventHistory | undefined> {
  const row = await byEitherId<EventRow>(sql, event, uuid, viewer)
  if (row === undefined) return undefined
  const owner = viewer.admin ? undefined : viewer.user
  const deliveries = await deliveriesOfEvent(sql, row.uuid, owner, MOST_DELIVERIES + 1)
  const old = await sql.query<PythonDelivery>(python, [row.uuid, owner ?? null])
  return {
    ...row,
    readable: viewer.admin || row.allowed || old.some(saidYes),
    deliveries: deliveries.slice(0, MOST_DELIVERIES),
    more: deliveries.length > MOST_DELIVERIES,
    python: old,
  }
}

/** The Python service sent nothing without a 2xx of Policy. */
function saidYes({ policyStatusCode }: PythonDelivery): boolean {
  return /^2\d\d$/.test(policyStatusCode)
}

export interface StoredEvent {
  readonly uuid: string
  readonly state: string
  readonly jsondata: string
  readonly readable: boolean
}

const content = `
  SELECT e.uuid, s.state, e.jsondata,
    EXISTS (SELECT 1 FROM policy_answer p WHERE p.event = e.uuid AND p.owner = $2 AND p.state = 'allowed')
    OR EXISTS (SELECT 1 FROM eventlogmatch l JOIN eventmatch m ON m.uuid = l.event_match_id
               WHERE l.event_log_id = e.uuid AND m."user" = $2 AND l.policy_status_code LIKE '2__') AS readable
  FROM eventlog e JOIN event_state s ON s.event = e.uuid WHERE e.uuid = $1`

/** The event's text, and whether this user may see it by what Policy has said so far. */
export async function findContent(
  sql: Sql,
  uuid: string,
  viewer: Viewer,
): Promise<StoredEvent | undefined> {
  const row = await byEitherId<StoredEvent>(sql, content, uuid, viewer)
  return row && { ...row, readable: row.readable || viewer.admin }
}

const aliased = 'SELECT event FROM eventlog_alias WHERE uuid = $1'

/**
 * The event by its id, or by the one that its sender was given for a repeat of it while the database was away. Two
 * statements: one with OR would scan the table.
 */
async function byEitherId<R extends object>(
  sql: Sql,
  statement: string,
  uuid: string,
  viewer: Viewer,
): Promise<R | undefined> {
  const [row] = await sql.query<R>(statement, [uuid, viewer.user])
  if (row !== undefined) return row
  const [alias] = await sql.query<{ event: string }>(aliased, [uuid])
  return alias && (await sql.query<R>(statement, [alias.event, viewer.user]))[0]
}
