/**
 * The statement of a claim (deliver/claim.ts), from the lanes that deserve a look to the deliveries that are taken:
 *
 *   in hand ─→ full hosts, owners ─→ ready lanes that are not full, longest waiting first, at most $1, locked
 *   turn (no claim since our snapshot?) ─→ shares ─→ found in each lane ─→ chosen ─→ looked at ─→ moved
 *
 * Nothing here reads more of a lane than its share, so a lane costs the same whether ten deliveries are due or a million.
 *
 * $1 limit, $2 lease in ms, $3 how old a yes of policy may be in ms, $4 $5 $6 caps: subscription, host, owner,
 * $7 whether dispatches can be published, $8–$11 who claims, and what it has in flight itself: JSON objects of numbers by
 * subscription, host and owner
 */
import { RETRY_SHARE } from './caps.ts'
import { HELD_AGAIN, HELD_FIRST, IS_FIRST, IS_RETRY, PARKED_AGAIN } from './due.ts'

/** A lane whose deliveries can be sent, as far as this worker knows. */
export const OPEN = (dispatching: string) => `(${dispatching} OR l.host NOT LIKE 'dispatch://%')`
const AWAKE = 'l.next_due <= now()'
/** How many requests a lane may have in flight. */
const MOST = 'least(coalesce(l.cap, $4), l.ramp)'

/** The texts of parameters: what the process that claims has in flight itself (in-flight.ts). */
export interface OwnParameters {
  readonly holder: string
  readonly lanes: string
  readonly hosts: string
  readonly owners: string
}

// Of an array that it does not know the planner expects ten elements: so it reads a small table of lanes from end to end,
// and looks up by key in a large one.
/** What others have in flight, by lane, host and owner. @param live the subscription of each of their leases that is alive */
export const inFlightOfOthers = (live: string) => `
  busy_lane AS MATERIALIZED (
    SELECT count(*)::int AS n, l.subscription, l.host, l.owner
    FROM unnest(ARRAY(${live})) AS b (subscription)
    JOIN lane l ON l.subscription = b.subscription GROUP BY l.subscription),
  busy_host AS MATERIALIZED (SELECT host, sum(n)::int AS n FROM busy_lane GROUP BY host),
  busy_owner AS MATERIALIZED (SELECT owner, sum(n)::int AS n FROM busy_lane GROUP BY owner)`

// Looked up in objects, not joined: how many rows there are is more than the planner can know.
const countIn = (key: string, counts: string) => `coalesce((${counts} ->> l.${key}::text)::int, 0)`
const countBy = (key: string, own: string, others: string) =>
  `(${countIn(key, own)} + ${countIn(key, `(SELECT jsonb_object_agg(${key}, n) FROM ${others})`)})`

/** What is in flight in the lane of a row `l`, to its host, for its owner: ours and others'. */
export const inFlightWith = (own: OwnParameters) => ({
  lane: countBy('subscription', own.lanes, 'busy_lane'),
  host: countBy('host', own.hosts, 'busy_host'),
  owner: countBy('owner', own.owners, 'busy_owner'),
})

/** Hosts, or owners, that have as many requests in flight as they may. */
const full = (key: string, own: string, others: string, cap: string) => `
  full_${key} AS MATERIALIZED (
    SELECT ${key} FROM (
      SELECT ${key}, n FROM ${others} UNION ALL SELECT key, value::int FROM jsonb_each_text(${own})) AS of_all
    GROUP BY ${key} HAVING sum(n) >= ${cap})`

const OWN: OwnParameters = {
  ...{ holder: '$8::uuid', lanes: '$9::jsonb', hosts: '$10::jsonb', owners: '$11::jsonb' },
}
const IN_FLIGHT = inFlightWith(OWN)

const READY = `
  in_hand AS MATERIALIZED (
    SELECT uuid, subscription, due, due > now() AS live, holder IS DISTINCT FROM ${OWN.holder} AS of_others
    FROM delivery WHERE state = 'delivering'),
  ${inFlightOfOthers('SELECT subscription FROM in_hand WHERE live AND of_others')},
  ${full('host', OWN.hosts, 'busy_host', '$5')},
  ${full('owner', OWN.owners, 'busy_owner', '$6')},
  ready AS MATERIALIZED (
    SELECT l.subscription, l.host, l.owner, l.turn, l.next_due, l.ramp, ${MOST} AS most
    FROM lane l
    WHERE ${AWAKE} AND ${OPEN('$7::bool')}
      AND l.host NOT IN (SELECT host FROM full_host) AND l.owner NOT IN (SELECT owner FROM full_owner)
      AND ${IN_FLIGHT.lane} < ${MOST}
    ORDER BY l.next_due LIMIT $1 FOR NO KEY UPDATE OF l SKIP LOCKED)`

// What is in flight was counted by this statement's snapshot. A claim that was committed since then is not in it, but
// it has moved the turn, and the row that we lock is the newest: then this claim takes nothing and is made again.
/** @param some of what the claim would take: with none there it takes no turn */
export const turn = (some: string) => `
  locked AS MATERIALIZED (SELECT turn FROM claim_turn WHERE EXISTS (SELECT FROM ${some}) FOR UPDATE),
  mine AS (
    UPDATE claim_turn c SET turn = c.turn + 1 FROM locked WHERE c.turn = locked.turn RETURNING c.turn)`

// A share is what a lane may be given in this claim. Of a disabled or deleted subscription nothing is sent, so that its
// deliveries are set aside without regard to caps.
const { healthy, failing } = RETRY_SHARE
const SHARES = `
  room AS MATERIALIZED (
    SELECT l.*,
      least(CASE WHEN m.disabled IS NULL AND m.deleted IS NULL
                 THEN l.most - ${IN_FLIGHT.lane} ELSE $1::int END,
            ceil($1::float8 / count(*) OVER ())::int) AS share,
      $5 - ${IN_FLIGHT.host} AS host_room, $6 - ${IN_FLIGHT.owner} AS owner_room
    FROM ready l JOIN eventmatch m ON m.uuid = l.subscription
    WHERE EXISTS (SELECT FROM mine)),
  shares AS MATERIALIZED (
    SELECT r.*, CASE WHEN r.ramp = 1 AND r.turn % ${failing} <> 0 THEN r.share
                     WHEN r.ramp = 1 THEN 0
                     ELSE (r.turn + r.share) / ${healthy} - r.turn / ${healthy} END AS retries
    FROM room r)`

const dueOf = (kind: string, rank: string) => `
  (SELECT d.uuid, d.due, ${rank} AS rank FROM delivery d
   WHERE d.subscription = s.subscription AND ${kind} AND d.due <= now() AND d.state <> 'delivering'
   ORDER BY d.due LIMIT s.share + 1)`

const EXPIRED = `
  (SELECT i.uuid, i.due, -1 AS rank FROM in_hand i
   WHERE i.subscription = s.subscription AND NOT i.live
   ORDER BY i.due LIMIT s.share + 1)`

// Of each lane first what the dead held, which has waited its time already; then the retries' share, then first attempts, then the retries that are left: neither waits for the
// other, and both use what the other leaves. Between lanes one delivery of each, then a second one of each, and so on.
// One more than the share is looked for, to know whether anything is left. What was chosen is found by key, and its `due`
// looked at once more, written so that no index of what is due is taken for it: where the statistics know of nothing due,
// that would be read from end to end.
const CHOSEN = `
  found AS MATERIALIZED (
    SELECT s.subscription, s.host, s.owner, s.next_due, s.share, s.host_room, s.owner_room, c.uuid,
      row_number() OVER (PARTITION BY s.subscription ORDER BY c.rank, c.due, c.uuid) AS place
    FROM shares s CROSS JOIN LATERAL (
      SELECT * FROM (
        ${EXPIRED}
        UNION ALL ${dueOf(IS_RETRY, 'CASE WHEN row_number() OVER (ORDER BY d.due) <= s.retries THEN 0 ELSE 2 END')}
        UNION ALL ${dueOf(IS_FIRST, '1')}) AS kinds
      ORDER BY rank, due LIMIT s.share + 1) c),
  chosen AS MATERIALIZED (
    SELECT uuid, subscription FROM (
      SELECT *, row_number() OVER (PARTITION BY host ORDER BY place, next_due, subscription) AS host_place,
        row_number() OVER (PARTITION BY owner ORDER BY place, next_due, subscription) AS owner_place
      FROM found WHERE place <= share) AS placed
    WHERE host_place <= host_room AND owner_place <= owner_room
    ORDER BY place, next_due, subscription LIMIT $1),
  due AS MATERIALIZED (
    SELECT d.uuid, d.event, d.subscription, d.owner, d.test, d.due FROM delivery d
    WHERE d.uuid IN (SELECT uuid FROM chosen) AND d.due + interval '0' <= now() FOR UPDATE SKIP LOCKED)`

// A lane in which all that is due was taken sleeps; any other goes to the end of the line, also one of whose deliveries
// somebody holds: it must not stand in front of the others meanwhile.
const SERVED = `
  served AS (
    UPDATE lane l SET turn = (l.turn + n.taken) % ${failing},
      next_due = CASE WHEN n.found <= n.share AND n.taken = n.found THEN NULL ELSE now() END
    FROM (
      SELECT s.subscription, s.share, coalesce(f.n, 0) AS found, coalesce(c.n, 0) AS chosen, coalesce(t.n, 0) AS taken
      FROM shares s
      LEFT JOIN (SELECT subscription, count(*) AS n FROM found GROUP BY subscription) f USING (subscription)
      LEFT JOIN (SELECT subscription, count(*) AS n FROM chosen GROUP BY subscription) c USING (subscription)
      LEFT JOIN (SELECT subscription, count(*) AS n FROM due GROUP BY subscription) t USING (subscription)) n
    WHERE l.subscription = n.subscription AND (n.chosen > 0 OR n.found = 0)
    RETURNING l.subscription, l.next_due IS NULL AS asleep)`

const MOVED = `
  looked AS (
    SELECT d.uuid, d.event, d.owner, p.state AS policy, extract(epoch FROM now() - d.due)::float8 * 1000 AS late,
      'policy answered ' || p.status_code || ': ' || left(p.body, 500) AS refusal,
      CASE WHEN m.deleted IS NOT NULL THEN 'cancelled'
           WHEN m.disabled IS NOT NULL THEN 'held'
           WHEN d.test THEN 'delivering'
           WHEN p.state = 'denied' THEN 'denied'
           WHEN p.state = 'allowed' AND p.answered > now() - $3 * interval '1 millisecond' THEN 'delivering'
           ELSE 'pending' END AS next
    FROM due d JOIN eventmatch m ON m.uuid = d.subscription
    LEFT JOIN policy_answer p ON p.event = d.event AND p.owner = d.owner),
  asked AS ( -- what is being asked is left alone: its answer locks the answer's row before the deliveries, not after
    INSERT INTO policy_answer AS p (event, owner)
    SELECT DISTINCT event, owner FROM looked WHERE next = 'pending' AND policy IS DISTINCT FROM 'asking'
    ORDER BY event, owner
    ON CONFLICT (event, owner) DO UPDATE SET state = 'asking', due = now()
      WHERE p.state = 'allowed' AND p.answered <= now() - $3 * interval '1 millisecond'),
  moved AS (
    UPDATE delivery d SET state = l.next, claim = d.claim + 1,
      holder = CASE l.next WHEN 'delivering' THEN ${OWN.holder} END,
      due = CASE l.next WHEN 'delivering' THEN now() + $2 * interval '1 millisecond'
                        WHEN 'pending' THEN now() + ${PARKED_AGAIN}
                        WHEN 'held' THEN now() + CASE d.state WHEN 'held' THEN ${HELD_AGAIN} ELSE ${HELD_FIRST} END END,
      reason = CASE l.next WHEN 'cancelled' THEN 'the subscription was deleted'
                           WHEN 'held' THEN 'the subscription is disabled'
                           WHEN 'denied' THEN l.refusal
                           ELSE d.reason END,
      settled = CASE WHEN l.next IN ('cancelled', 'denied') THEN now() END
    FROM looked l WHERE d.uuid = l.uuid
    RETURNING d.uuid, d.event, d.subscription, d.owner, d.state, d.claim, d.attempt, d.replay, d.test, l.late)`

/** What a delivery needs of its subscription m. */
export const SUBSCRIBER = 'm.target_url AS "targetUrl", m.version, m.extensions, m.auth'
export const SIGNING = `
         array(SELECT s.value->>'secret' FROM jsonb_array_elements(m.signing) WITH ORDINALITY AS s (value, place)
               WHERE coalesce((s.value->>'until')::timestamptz > now(), true) ORDER BY s.place) AS signing`

const NOTHING = Array(18).fill('NULL').join(', ')

// Rows of several kinds: each delivery, each lane that sleeps or whose lease has ended unseen, and how the claim went.
export const CLAIM = `
  WITH ${[READY, turn('ready'), SHARES, CHOSEN, SERVED, MOVED].join(',')}
  SELECT 'delivery' AS kind, c.subscription, c.state, c.uuid, c.event, c.owner, c.claim, c.attempt, c.replay,
         c.late AS "lateMs", ${SUBSCRIBER}, l.host, l.ramp IS NOT NULL AS ramped,
         CASE WHEN c.test THEN '{"maxAttempts": 1}'::jsonb ELSE m.retry END AS retry, e.jsondata, e.digest, e.trace,
         ${SIGNING}
  FROM moved c
  LEFT JOIN lane l ON l.subscription = c.subscription AND c.state = 'delivering'
  LEFT JOIN eventmatch m ON m.uuid = c.subscription AND c.state = 'delivering'
  LEFT JOIN eventlog e ON e.uuid = c.event AND c.state = 'delivering'
  UNION ALL SELECT 'asleep', subscription, ${NOTHING}, NULL FROM served WHERE asleep
  UNION ALL SELECT 'expired', i.subscription, ${NOTHING}, NULL
    FROM in_hand i LEFT JOIN lane l USING (subscription) WHERE NOT i.live AND ${AWAKE} IS NOT TRUE GROUP BY i.subscription
  UNION ALL SELECT 'late', NULL, ${NOTHING}, NULL WHERE EXISTS (SELECT FROM ready) AND NOT EXISTS (SELECT FROM mine)
  UNION ALL SELECT 'blocked', NULL, ${NOTHING}, NULL
    WHERE NOT EXISTS (SELECT FROM moved) AND NOT EXISTS (SELECT FROM served WHERE asleep)
      AND EXISTS (SELECT FROM lane l WHERE ${AWAKE} AND ${OPEN('$7::bool')})`
