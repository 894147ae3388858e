/**
 * The statement that stores what events match (match-store.ts). One statement is one transaction: an event is matched
 * exactly when its deliveries, and the questions to Policy that they wait for, exist.
 *
 *   done (the events that are still ours) ─→ asked (questions, with what Policy has said already) ─→ wanted
 *   ─→ chosen (what may be sent at once: deliver/at-once-statement.ts) ─→ stored
 */
import { atOnce } from '../deliver/at-once-statement.ts'
import { type OwnParameters, SIGNING, SUBSCRIBER } from '../deliver/claim-statement.ts'
import { HELD_FIRST, PARKED_AGAIN } from '../deliver/due.ts'

// Of an event that is matched again Policy may have been asked before: then the row is there, and nobody will release
// what comes to it now.
const ANSWERED = `EXISTS (
  SELECT FROM policy_answer p WHERE p.event = w.event AND p.owner = w.owner AND p.state <> 'asking')`

// Written so that no index of states is taken for it: there are as many new events as are on their way.
const IS_NEW = "e.state || '' = 'new'"

const OWN: OwnParameters = {
  ...{ holder: '$26::uuid', lanes: '$27::jsonb', hosts: '$28::jsonb', owners: '$29::jsonb' },
}

const AT_ONCE = atOnce({
  limit: '$20::int',
  ...{ subscription: '$22::int', host: '$23::int', owner: '$24::int', dispatching: '$25::bool' },
  ...OWN,
})

const NO_DELIVERY = Array(11).fill('NULL').join(', ')

/**
 * $1–$4 events: id, claim, matches, why unreadable · $5–$10 deliveries: id, event, subscription, owner, state, reason ('allowed':
 * pending, and Policy has said yes) · $11–$19 questions: event, owner, state, status, body, error, how often asked, when to
 * ask again in ms, age of the answer in ms · $20 how many deliveries may be claimed at once, $21 their lease in ms,
 * $22 $23 $24 caps: subscription, host, owner, $25 whether dispatches can be published, $26–$29 who claims, and what it has
 * in flight itself (deliver/claim-statement.ts)
 */
export const RECORD = `
  WITH done AS (
    UPDATE event_state e SET state = CASE WHEN d.unreadable IS NULL THEN 'matched' ELSE 'unmatchable' END,
      reason = d.unreadable, matched = now(), match_count = d.count, due = NULL
    FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[]) AS d (uuid, claim, count, unreadable)
    WHERE e.event = d.uuid AND e.claim = d.claim AND ${IS_NEW}
    RETURNING e.event AS uuid, e.received AS created),
  asked AS (
    INSERT INTO policy_answer AS p (event, owner, state, status_code, body, error, asked, due, answered)
    SELECT q.event, q.owner, q.state, q.status, q.body, q.error, q.asked,
      CASE WHEN q.state = 'asking' THEN now() + q.again_ms * interval '1 millisecond' END,
      CASE WHEN q.state <> 'asking' THEN now() - q.age_ms * interval '1 millisecond' END
    FROM unnest($11::uuid[], $12::text[], $13::text[], $14::int[], $15::text[], $16::text[], $17::int[], $18::float8[],
      $19::float8[]) AS q (event, owner, state, status, body, error, asked, again_ms, age_ms)
    JOIN done ON done.uuid = q.event
    ORDER BY q.event, q.owner
    ON CONFLICT (event, owner) DO UPDATE SET -- what it said when the event was matched before
      state = excluded.state, status_code = excluded.status_code, body = excluded.body, answered = excluded.answered
      WHERE excluded.state <> 'asking' AND p.state <> 'asking'),
  wanted AS MATERIALIZED (
    SELECT w.*, done.created AS received
    FROM unnest($5::uuid[], $6::uuid[], $7::uuid[], $8::text[], $9::text[], $10::text[])
      AS w (uuid, event, subscription, owner, state, reason)
    JOIN done ON done.uuid = w.event),
  ${AT_ONCE},
  stored AS (
    INSERT INTO delivery (uuid, event, subscription, owner, state, reason, claim, holder, due, settled, received)
    SELECT w.uuid, w.event, w.subscription, w.owner,
      CASE WHEN c.event IS NOT NULL THEN 'delivering' WHEN w.state = 'allowed' THEN 'pending' ELSE w.state END, w.reason,
      CASE WHEN c.event IS NULL THEN 0 ELSE 1 END, CASE WHEN c.event IS NOT NULL THEN ${OWN.holder} END,
      CASE w.state
        WHEN 'allowed' THEN now() + CASE WHEN c.event IS NULL THEN 0 ELSE $21::float8 END * interval '1 millisecond'
        WHEN 'pending' THEN now() + CASE WHEN ${ANSWERED} THEN interval '0' ELSE ${PARKED_AGAIN} END
        WHEN 'held' THEN now() + ${HELD_FIRST} END,
      CASE WHEN w.state IN ('failed', 'denied') THEN now() END, w.received
    FROM wanted w LEFT JOIN chosen c ON c.event = w.event AND c.subscription = w.subscription
    ON CONFLICT (event, subscription) DO NOTHING
    RETURNING uuid, event, subscription, owner, state, due)
  SELECT NULL::uuid[] AS events, NULL::float8[] AS ages, NULL::uuid[] AS released, NULL::int AS denied, NULL::bool AS late,
    s.uuid, s.event, s.subscription, s.owner, ${SUBSCRIBER}, c.host, m.retry, ${SIGNING}
  FROM stored s JOIN chosen c ON c.event = s.event AND c.subscription = s.subscription
  JOIN eventmatch m ON m.uuid = s.subscription
  UNION ALL SELECT array_agg(uuid), array_agg(extract(epoch FROM now() - created)::float8 * 1000),
    array(SELECT DISTINCT subscription FROM stored WHERE state = 'pending' AND due <= now()),
    (SELECT count(*)::int FROM stored WHERE state = 'denied'),
    EXISTS (SELECT FROM candidate) AND NOT EXISTS (SELECT FROM mine), ${NO_DELIVERY}
  FROM done`
