/** Events with what became of them, the newest first, a few at a time. */
import type { Sql } from '@pacifica/platform'

export interface Wanted {
  readonly uuids: readonly string[]
  /** RFC 3339. */
  readonly start: string | null
  readonly end: string | null
  readonly limit: number
}

export async function* findEvents(
  sql: Sql,
  wanted: Wanted,
): AsyncGenerator<{ event: FoundEvent; deliveries: FoundDelivery[] }> {
  let place: Place = { created: 'infinity', uuid: 'ffffffff-ffff-ffff-ffff-ffffffffffff' }
  let left = wanted.limit
  while (left > 0) {
    const events = await findPage(sql, wanted, place, Math.min(left, PAGE))
    const deliveries = await findDeliveries(sql, events)
    for (const event of events)
      yield { event, deliveries: deliveries.filter((delivery) => delivery.event === event.uuid) }
    const last = events.at(-1)
    if (last === undefined) return
    place = { created: last.place, uuid: last.uuid }
    left -= events.length
  }
}

/** Bodies may be large: few at a time. */
const PAGE = 20

interface Place {
  readonly created: string
  readonly uuid: string
}

export interface FoundEvent {
  readonly uuid: string
  readonly jsondata: string
  readonly created: Date
  /** `created` with its microseconds. */
  readonly place: string
  readonly state: string
  readonly reason: string | null
}

const find = `
  SELECT uuid, jsondata, created, created::text AS place, state, reason
  FROM eventlog JOIN event_state ON event = uuid
  WHERE (cardinality($1::uuid[]) = 0 OR uuid = ANY($1::uuid[]))
    AND created >= coalesce($2::timestamptz, '-infinity') AND created < coalesce($3::timestamptz, 'infinity')
    AND (created, uuid) < ($4::timestamptz, $5::uuid)
  ORDER BY created DESC, uuid DESC LIMIT $6`

function findPage(sql: Sql, { uuids, start, end }: Wanted, place: Place, page: number) {
  return sql.query<FoundEvent>(find, [uuids, start, end, place.created, place.uuid, page])
}

export interface FoundDelivery {
  readonly uuid: string
  readonly event: string
  readonly subscription: string
  readonly created: Date
  readonly state: string
  readonly reason: string | null
  readonly policy: string | null
  readonly target: string | null
}

/** What Python noted, and our own deliveries, each with its last answer. */
const findTheirs = `
  SELECT m.uuid, m.event_log_id AS event, m.event_match_id AS subscription, m.created,
         CASE WHEN m.target_status_code LIKE '2%' THEN 'delivered' ELSE 'failed' END AS state, NULL AS reason,
         m.policy_status_code AS policy, m.target_status_code AS target
  FROM eventlogmatch m WHERE m.event_log_id = ANY($1::uuid[])
  UNION ALL
  SELECT d.uuid, d.event, d.subscription, d.created, d.state, d.reason, p.status_code::text,
         (SELECT a.status_code::text FROM attempt a WHERE a.delivery = d.uuid ORDER BY a.id DESC LIMIT 1)
  FROM delivery d LEFT JOIN policy_answer p ON p.event = d.event AND p.owner = d.owner
  WHERE d.event = ANY($1::uuid[])
  ORDER BY created, uuid`

function findDeliveries(sql: Sql, events: readonly FoundEvent[]): Promise<FoundDelivery[]> {
  return sql.query<FoundDelivery>(findTheirs, [events.map(({ uuid }) => uuid)])
}
