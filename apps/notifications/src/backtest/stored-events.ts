/** The events of a backtest, newest first, a batch at a time, with what is on record of the owner's right to see them. */
import type { Sql } from '@pacifica/platform'
import { TEST_SOURCE } from '../subscriptions/test-event.ts'
import type { OnRecord } from './gate.ts'
import type { Reached } from './job-claim.ts'

export interface StoredEvent extends OnRecord {
  readonly created: Date
  /** With microseconds. */
  readonly createdText: string
  /** A test event: its subscription's alone, and looked into by nobody else. */
  readonly test: boolean
}

export interface BatchOptions {
  readonly events: number
  /** Of their bodies together; one event at least. */
  readonly bytes: number
  /** A no of Policy is taken from the record while it is no older. */
  readonly ttlMs: number
}

// Sizes first: bodies are read for those alone that fit. Each lateral join is one look into an index: an EXISTS may be
// planned as a walk through its whole table.
const next = `
  SELECT e.uuid, e.jsondata, e.created, e.created::text AS "createdText", tested.yes IS NOT NULL AS test,
    coalesce(p.state = 'allowed', false) OR sent.yes IS NOT NULL AS readable,
    CASE WHEN p.state = 'denied' AND p.answered > now() - $5::float8 * interval '1 millisecond'
         THEN coalesce(p.status_code, 412) END AS "deniedWith"
  FROM (
    SELECT s.uuid, sum(s.size) OVER (ORDER BY s.created DESC, s.uuid DESC) - s.size AS before
    FROM (
      SELECT uuid, created, octet_length(jsondata) AS size FROM eventlog
      WHERE created >= $1::timestamptz AND (created, uuid) < ($2::timestamptz, $3::uuid)
      ORDER BY created DESC, uuid DESC LIMIT $6) s) fitting
  JOIN eventlog e ON e.uuid = fitting.uuid
  LEFT JOIN policy_answer p ON p.event = e.uuid AND p.owner = $4
  LEFT JOIN LATERAL (
    SELECT true AS yes FROM delivery d
    WHERE e.source = '${TEST_SOURCE}' AND d.event = e.uuid AND d.test LIMIT 1) tested ON true
  LEFT JOIN LATERAL (
    SELECT true AS yes FROM eventlogmatch l JOIN eventmatch m ON m.uuid = l.event_match_id
    WHERE l.event_log_id = e.uuid AND m."user" = $4 AND l.policy_status_code LIKE '2__' LIMIT 1) sent ON true
  WHERE fitting.before < $7
  ORDER BY e.created DESC, e.uuid DESC`

export function nextEvents(
  sql: Sql,
  job: { readonly owner: string; readonly sinceText: string },
  reached: Reached,
  { events, bytes, ttlMs }: BatchOptions,
): Promise<StoredEvent[]> {
  const place = [job.sinceText, reached.created, reached.event]
  return sql.query<StoredEvent>(next, [...place, job.owner, ttlMs, events, bytes])
}
