/** Deliveries with their policy answer, their attempts and their tasks, read for people: one query each for a whole page. */
import type { Sql } from '@pacifica/platform'
import type { DeliveryState } from '../deliver/delivery.ts'
import { bindings } from './bindings.ts'
import { inState } from './list-events.ts'
import { microsOf, type Place, timeOf } from './page.ts'
import { type TaskHistory, tasksOf } from './tasks.ts'

export interface AttemptRow {
  readonly delivery: string
  readonly number: number
  readonly replay: number
  readonly started: Date
  readonly durationMs: number
  readonly outcome: string
  readonly statusCode: number | null
  readonly body: string | null
  /** In characters; the body shown is the beginning. */
  readonly bodyLength: number | null
  readonly error: string | null
}

export interface PolicyRow {
  readonly state: string
  readonly statusCode: number | null
  readonly body: string | null
  readonly error: string | null
  readonly asked: number
  readonly due: Date | null
  readonly answered: Date | null
}

export interface DeliveryRow {
  readonly uuid: string
  readonly event: string
  readonly subscription: string
  readonly name: string
  readonly targetUrl: string
  readonly owner: string
  readonly state: DeliveryState
  readonly reason: string | null
  readonly replay: number
  readonly test: boolean
  readonly created: Date
  readonly received: Date
  readonly micros: number
  readonly settled: Date | null
  readonly due: Date | null
  readonly isDue: boolean
  readonly policy: PolicyRow | null
  readonly attempts: readonly AttemptRow[]
  readonly tasks: readonly TaskHistory[]
}

/** How much of a target's reply is shown, in characters. */
const EXCERPT = 4096
/** The newest attempts of a delivery that are shown. */
const MOST_ATTEMPTS = 50

const select = `
  SELECT d.uuid, d.event, d.subscription, m.name, m.target_url AS "targetUrl", d.owner, d.state, d.reason, d.replay,
    d.test, d.created, d.received, ${microsOf('d.received')} AS micros, d.settled, d.due,
    coalesce(d.due <= now(), false) AS "isDue",
    p.state AS "policyState", p.status_code AS "policyStatusCode", p.body AS "policyBody", p.error AS "policyError",
    p.asked AS "policyAsked", p.due AS "policyDue", p.answered AS "policyAnswered"
  FROM delivery d JOIN eventmatch m ON m.uuid = d.subscription
  LEFT JOIN policy_answer p ON p.event = d.event AND p.owner = d.owner`

const attemptsOf = `
  SELECT newest.* FROM unnest($1::uuid[]) AS wanted (delivery) CROSS JOIN LATERAL (
    SELECT a.id, a.delivery, a.number, a.replay, a.started, a.duration_ms AS "durationMs", a.outcome,
      a.status_code AS "statusCode", left(a.body, ${EXCERPT}) AS body, length(a.body) AS "bodyLength", a.error
    FROM attempt a WHERE a.delivery = wanted.delivery ORDER BY a.id DESC LIMIT ${MOST_ATTEMPTS}) newest
  ORDER BY newest.id`

/** The deliveries of an event, oldest first; `owner` undefined: everybody's. */
export function deliveriesOfEvent(
  sql: Sql,
  event: string,
  owner: string | undefined,
  limit: number,
): Promise<DeliveryRow[]> {
  return read(
    sql,
    `${select} WHERE d.event = $1 AND ($2::text IS NULL OR d.owner = $2) ORDER BY d.created, d.uuid LIMIT $3`,
    [event, owner ?? null, limit],
  )
}

/** A subscription's deliveries, newest event first; one row more than `limit` when there is one. */
export function deliveriesOfSubscription(
  sql: Sql,
  subscription: string,
  filter: { state?: DeliveryState | undefined; after?: Place | undefined; limit: number },
): Promise<DeliveryRow[]> {
  const { values, bind } = bindings()
  const conditions = [`d.subscription = ${bind(subscription, 'uuid')}`]
  const { state, after } = filter
  if (state !== undefined) conditions.push(inState(state))
  if (after !== undefined)
    conditions.push(
      `(d.received, d.event) < (${timeOf(bind(after.micros, 'bigint'))}, ${bind(after.uuid, 'uuid')})`,
    )
  const order = `ORDER BY d.received DESC, d.event DESC LIMIT ${bind(filter.limit + 1, 'int')}`
  return read(sql, `${select} WHERE ${conditions.join(' AND ')} ${order}`, values)
}

export async function findDelivery(sql: Sql, uuid: string): Promise<DeliveryRow | undefined> {
  return (await read(sql, `${select} WHERE d.uuid = $1`, [uuid]))[0]
}

/** A row as the statement gives it: the answer's columns lie flat beside the delivery's. */
type FlatRow = Omit<DeliveryRow, 'attempts' | 'tasks' | 'policy'> & {
  [Column in keyof PolicyRow as `policy${Capitalize<Column>}`]: PolicyRow[Column] | null
}

async function read(sql: Sql, text: string, values: readonly unknown[]): Promise<DeliveryRow[]> {
  const rows = await sql.query<FlatRow>(text, values)
  const uuids = rows.map((row) => row.uuid)
  const attempts = await sql.query<AttemptRow>(attemptsOf, [uuids])
  const tasks = await tasksOf(sql, uuids)
  const byDelivery = new Map<string, AttemptRow[]>(rows.map((row) => [row.uuid, []]))
  for (const attempt of attempts) byDelivery.get(attempt.delivery)?.push(attempt)
  return rows.map((row) => ({
    ...row,
    policy: policyOf(row),
    attempts: byDelivery.get(row.uuid) ?? [],
    tasks: tasks.get(row.uuid) ?? [],
  }))
}

function policyOf(row: FlatRow): PolicyRow | null {
  if (row.policyState === null) return null
  return {
    state: row.policyState,
    statusCode: row.policyStatusCode,
    body: row.policyBody,
    error: row.policyError,
    asked: row.policyAsked ?? 0,
    due: row.policyDue,
    answered: row.policyAnswered,
  }
}
