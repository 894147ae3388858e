/** What the databases say at the end, and whether there is still something to wait for. */
import { type Cut, query } from './in-flight.ts'
import type { Stage } from './stage.ts'
import type { Subscription } from './subscriptions.ts'

export interface EventRow {
  readonly uuid: string
  readonly event_id: string
  readonly state: string
  readonly match_count: number | null
  readonly jsondata: string
}

export interface DeliveryRow {
  readonly uuid: string
  readonly event: string
  readonly subscription: string
  readonly state: string
  readonly reason: string | null
  /** Requests on record. */
  readonly attempts: number
  /** Requests that the delivery itself has counted. */
  readonly counted: number
  readonly is_due: boolean
}

export interface TaskRow {
  readonly delivery: string
  readonly replay: number
  readonly task: string
  readonly state: string
  readonly event_id: string
}

export interface Books {
  readonly events: readonly EventRow[]
  readonly deliveries: readonly DeliveryRow[]
  readonly tasks: readonly TaskRow[]
  /** Attempts on record although there was no connection to send anything. */
  readonly unsent: number
  /** Tasks in all. */
  readonly taskCount: number
}

const EVENTS = `
  SELECT uuid, event_id, state, match_count, jsondata FROM eventlog LEFT JOIN event_state ON event = uuid`
const DELIVERIES = `
  SELECT d.uuid, d.event, d.subscription, d.state, d.reason, d.due IS NOT NULL AS is_due, d.attempt AS counted,
    (SELECT count(*)::int FROM attempt a WHERE a.delivery = d.uuid) AS attempts
  FROM delivery d`
const UNSENT = `
  SELECT count(*)::int AS n FROM attempt
  WHERE error ~ 'no connection to the broker|not connected to the broker|the broker takes no messages'`
const TASKS = `
  SELECT d.delivery, d.replay, d.task, t.state, t.event_id FROM task_delivery d JOIN task t ON t.id = d.task`

export async function readBooks({ databases }: Stage): Promise<Books> {
  const { notifications, dispatcher } = databases
  const [count] = await query<{ n: number }>(dispatcher, 'SELECT count(*)::int AS n FROM task')
  const [unsent] = await query<{ n: number }>(notifications, UNSENT)
  return {
    events: await query<EventRow>(notifications, EVENTS),
    deliveries: await query<DeliveryRow>(notifications, DELIVERIES),
    tasks: await query<TaskRow>(dispatcher, TASKS),
    unsent: unsent?.n ?? 0,
    taskCount: count?.n ?? 0,
  }
}

/** What may be a while: a dead worker's leases, retries, questions to policy, messages in the broker's queue. */
export interface Unsettled {
  /** Answered with 200 and not in the database: in the spool, if all is well. */
  readonly unstored: number
  readonly unmatched: number
  /** Or, where nothing can be delivered, not tried until it is to wait for long, or in the hand of the dead. */
  readonly undelivered: number
  readonly withoutTask: number
}

const MISSING = `
  SELECT count(*)::int AS n FROM unnest($1::uuid[]) AS posted (uuid)
  WHERE NOT EXISTS (SELECT FROM eventlog e WHERE e.uuid = posted.uuid)
    AND NOT EXISTS (SELECT FROM eventlog_alias a WHERE a.uuid = posted.uuid)`
const UNMATCHED = "SELECT count(*)::int AS n FROM event_state WHERE state = 'new'"
const UNDELIVERED = `
  SELECT count(*)::int AS n FROM delivery d
  JOIN unnest($1::uuid[], $2::text[]) AS s (uuid, fate) ON s.uuid = d.subscription
  WHERE CASE s.fate WHEN 'waiting' THEN d.state <> 'retrying' OR d.due < now() + interval '10 minutes'
                    WHEN 'in line' THEN d.state = 'delivering' AND (d.uuid, d.claim) IN (
                      SELECT * FROM unnest($3::uuid[], $4::bigint[]))
                    ELSE d.state IN ('pending', 'delivering', 'retrying', 'held') END`
const DISPATCHED = `
  SELECT d.uuid FROM delivery d JOIN eventmatch m ON m.uuid = d.subscription
  WHERE m.target_url LIKE 'dispatch:%' AND d.state = 'delivered'`
const WITHOUT_TASK = `
  SELECT count(*)::int AS n FROM unnest($1::uuid[]) AS d (uuid)
  WHERE NOT EXISTS (SELECT FROM task_delivery t WHERE t.delivery = d.uuid)`

export async function readUnsettled(
  { databases }: Stage,
  posted: readonly string[],
  subscriptions: readonly Subscription[],
  cuts: readonly Cut[],
): Promise<Unsettled> {
  const { notifications, dispatcher } = databases
  const count = async (url: string, text: string, values: readonly unknown[]) =>
    (await query<{ n: number }>(url, text, values))[0]?.n ?? 0
  const fates = [subscriptions.map(({ uuid }) => uuid), subscriptions.map(({ fate }) => fate)]
  const dispatched = await query<{ uuid: string }>(notifications, DISPATCHED)
  return {
    unstored: await count(notifications, MISSING, [posted]),
    unmatched: await count(notifications, UNMATCHED, []),
    undelivered: await count(notifications, UNDELIVERED, [...fates, ...claimsOf(cuts)]),
    withoutTask: await count(dispatcher, WITHOUT_TASK, [dispatched.map(({ uuid }) => uuid)]),
  }
}

/** What was in flight at the faults: the deliveries, and the claims. */
function claimsOf(cuts: readonly Cut[]): [string[], string[]] {
  const claims = cuts.flatMap(({ inFlight }) => [...inFlight])
  return [claims.map(([uuid]) => uuid), claims.map(([, claim]) => claim)]
}
