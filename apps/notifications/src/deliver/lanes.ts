/**
 * Lanes: one row for each subscription that has deliveries, which says when a claim should look at them. Deliveries are
 * the truth and lanes follow them: whoever has made deliveries due (and committed) calls `followDeliveries`, which brings
 * a lane's `next_due` forward to the earliest of them, and never back. What is missed, for example by a process that
 * dies between the two, is found by `followAll`, which every worker runs from time to time.
 */
import type { Sql } from '@pacifica/platform'
import { IS_FIRST, IS_RETRY } from './due.ts'

/** From a row of eventmatch: the host without user and port, in lower case; a dispatcher is a host of its own. */
const HOST = String.raw`
  coalesce(lower(coalesce(substring(m.target_url FROM '(?i)^dispatch://[^/]*'),
                          substring(m.target_url FROM '(?i)^https?://(?:[^/?#@]*@)?(\[[^]/?#]*\]|[^/?#:]*)'))),
           left(m.target_url, 200))`

/** A lane's columns that are copies, from a row of eventmatch. */
export const LANE_COPIES = `m."user" AS owner, ${HOST} AS host, m.max_concurrency AS cap`

/** After a subscription was changed, in the same transaction. A new target is not held to what the old one did. */
export const COPY_TO_LANE = `
  UPDATE lane l SET host = c.host, cap = c.cap, ramp = CASE WHEN l.host = c.host THEN l.ramp END
  FROM (SELECT m.uuid, ${LANE_COPIES} FROM eventmatch m) c
  WHERE c.uuid = $1::uuid AND l.subscription = c.uuid AND (l.host, l.cap) IS DISTINCT FROM (c.host, c.cap)`

/** What is in hand is left alone until its lease ends. */
const earliest = (kind: string) => `
  (SELECT d.due FROM delivery d
   WHERE d.subscription = a.subscription AND ${kind} AND d.due IS NOT NULL
     AND (d.state <> 'delivering' OR d.due <= now())
   ORDER BY d.due LIMIT 1)`

// Lanes that are awake are left alone, unlocked: a claim that puts one to sleep follows it again after its own commit.
const follow = `
  WITH asleep AS MATERIALIZED (
    SELECT m.uuid AS subscription, ${LANE_COPIES}, l.next_due
    FROM eventmatch m LEFT JOIN lane l ON l.subscription = m.uuid
    WHERE m.uuid = ANY($1::uuid[]) AND (l.next_due > now() OR l.next_due IS NULL)),
  waiting AS MATERIALIZED (
    SELECT a.*, least(${earliest(IS_FIRST)}, ${earliest(IS_RETRY)}) AS due FROM asleep a)
  INSERT INTO lane AS l (subscription, owner, host, cap, next_due)
  SELECT subscription, owner, host, cap, due FROM waiting
  WHERE due IS NOT NULL AND (next_due IS NULL OR due < next_due)
  ORDER BY subscription
  ON CONFLICT (subscription) DO UPDATE SET next_due = least(l.next_due, excluded.next_due)
  RETURNING subscription, next_due <= now() AS awake`

/** Wakes the lanes of these subscriptions if they have deliveries due; answers how many it has woken. */
export async function followDeliveries(
  sql: Sql,
  subscriptions: readonly string[],
): Promise<number> {
  if (subscriptions.length === 0) return 0
  const rows = await sql.query<{ awake: boolean }>(
    follow,
    [[...new Set(subscriptions)]],
    'prepared',
  )
  return rows.filter(({ awake }) => awake).length
}

// From one subscription to the next by the index, however many deliveries each has.
const withDeliveries = `
  WITH RECURSIVE waiting AS (
    (SELECT subscription FROM delivery WHERE due IS NOT NULL ORDER BY subscription LIMIT 1)
    UNION ALL
    SELECT (SELECT d.subscription FROM delivery d WHERE d.due IS NOT NULL AND d.subscription > w.subscription
            ORDER BY d.subscription LIMIT 1)
    FROM waiting w WHERE w.subscription IS NOT NULL)
  SELECT subscription FROM waiting w WHERE subscription IS NOT NULL
    AND NOT EXISTS (SELECT FROM lane l WHERE l.subscription = w.subscription AND l.next_due <= now())`

const TOGETHER = 500

/** Brings every lane up to date, also those that are missing; answers how many were woken. */
export async function followAll(sql: Sql): Promise<number> {
  const found = await sql.query<{ subscription: string }>(withDeliveries)
  const subscriptions = found.map(({ subscription }) => subscription)
  let woken = 0
  for (let from = 0; from < subscriptions.length; from += TOGETHER)
    woken += await followDeliveries(sql, subscriptions.slice(from, from + TOGETHER))
  return woken
}

const ofDeliveries = 'SELECT DISTINCT subscription FROM delivery WHERE uuid = ANY($1::uuid[])'

/** The same for the subscriptions of these deliveries. */
export async function followThese(sql: Sql, deliveries: readonly string[]): Promise<void> {
  if (deliveries.length === 0) return
  const rows = await sql.query<{ subscription: string }>(ofDeliveries, [[...deliveries]])
  await followDeliveries(
    sql,
    rows.map(({ subscription }) => subscription),
  )
}
