/** The tables of notifications, as a site of some size has them after three months. */
import type { Sql } from '@pacifica/platform'
import type { Filling } from './fill.ts'
import { BACKTESTS } from './fill-backtests.ts'
import type { Size } from './numbers.ts'

export function notificationsRows(size: Size): Filling[] {
  const { events, subscriptions, users, letters, backtests } = size
  const at =
    (statement: string, more: readonly unknown[]) => (sql: Sql, from: number, to: number) =>
      sql.query(statement, [from, to, ...more])
  return [
    {
      what: 'subscriptions',
      rows: subscriptions,
      slice: 10_000,
      fill: at(SUBSCRIPTIONS, [users]),
    },
    {
      what: 'events with all that came of them',
      rows: events,
      slice: 50_000,
      fill: async (sql, from, to) => {
        await sql.query(EVENTS, [from, to, events])
        await sql.query(EVENT_STATES, [from, to, events])
        await sql.query(DELIVERIES, [from, to, events, subscriptions, users])
        await sql.query(NOTES, [from, to, events, subscriptions])
      },
    },
    { what: 'dead letters', rows: letters, slice: 20_000, fill: at(LETTERS, [letters]) },
    {
      what: 'recoveries',
      rows: Math.min(2_000, subscriptions),
      slice: 2_000,
      fill: at(RECOVERIES, []),
    },
    {
      what: 'backtests',
      rows: backtests,
      slice: 2_000,
      fill: at(BACKTESTS, [backtests, users, events]),
    },
  ]
}

// One in forty is disabled, three in a hundred are in no index, of some that is not known yet, a few fail.
const SUBSCRIPTIONS = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, version, extensions, auth, created, updated, disabled,
                          error, dialect, revision, last_success, indexed, expression_failures)
  SELECT bench.id('s', s), 'subscription ' || s,
    '$.data[?(@.destinationTable = "Transactions.instrument" and @.value = ' || s || ')]',
    bench.owner_of(s, $3::int),
    CASE WHEN s % 4 = 0 THEN 'dispatch://dispatcher-' || s % 20 ELSE 'https://host-' || s % 500 || '.example/hook/' || s END,
    'v0.1', '{}', '{}', now() - interval '91 days' + s * interval '1 minute', now() - interval '80 days',
    CASE WHEN s % 40 = 7 THEN now() - interval '20 days' END, CASE WHEN s % 40 = 7 THEN 'deliveries have only failed' END,
    'jsonpath2', 1, now() - interval '1 hour', CASE WHEN s % 500 <> 3 THEN s % 33 <> 5 END, CASE WHEN s % 3000 = 11 THEN 3 ELSE 0 END
  FROM generate_series($1::bigint - 1, $2::bigint - 1) s`

const FILES = `
  (SELECT string_agg('{"destinationTable":"Files","_id":' || n * 10 + f || ',"name":"spectrum-' || f || '.bin","subdir":"run '
     || f || '","size":' || 1000 + n % 100000 || ',"hashtype":"sha1","hashsum":"' || md5(n || ' ' || f) || left(md5(f || ' ' || n), 8)
     || '","mimetype":"application/octet-stream","ctime":"2026-09-01T10:00:00","mtime":"2026-09-01T10:00:00"}', ',')
   FROM generate_series(1, 4) f)`

/** So many of the newest are not matched yet; of so many not all has been delivered. */
const NEWEST = 'greatest($3::bigint / 1000, 20)'
const LATEST = 'greatest($3::bigint / 200, 300)'

// The oldest are the Python service's.
const EVENTS = `
  INSERT INTO eventlog (uuid, jsondata, created, spec_version, source, event_id, event_type, event_time, digest, trace)
  SELECT bench.id('e', n),
    '{"cloudEventsVersion":"0.1","eventType":"' || type || '","source":"' || source || '","eventID":"metadata.ingest.' || n
      || '","eventTime":"2026-09-01T10:00:00","extensions":{},"contentType":"application/json","data":['
      || '{"destinationTable":"Transactions._id","value":' || n || '},{"destinationTable":"Transactions.submitter","value":'
      || n % 5000 || '},{"destinationTable":"Transactions.project","value":"' || n % 900 || 'é"},'
      || '{"destinationTable":"Transactions.instrument","value":' || n % 97 || '},'
      || '{"destinationTable":"TransactionKeyValue","key":"Sample","value":"' || md5('k' || n) || md5('v' || n) || '"},'
      || ${FILES} || ']}',
    created, '0.1', source, 'metadata.ingest.' || n, type, '2026-09-01T10:00:00',
    CASE WHEN n > $3::bigint / 100 THEN encode(sha256(int8send(n)), 'hex') END,
    '00-' || md5('t' || n) || '-' || left(md5('p' || n), 16) || '-01'
  FROM (
    SELECT n, bench.received(n, $3::bigint) AS created,
      'org.pacifica.metadata.' || CASE WHEN n % 50000 = 17 THEN 'rare' WHEN n % 25 = 3 THEN 'update' ELSE 'ingest' END AS type,
      'http://metadata.pacifica.org/instrument/' || CASE WHEN n % 20000 = 19 THEN 'rare' ELSE (n % 97)::text END AS source
    FROM generate_series($1::bigint, $2::bigint) n) e`

// The newest are still to be matched; one in two thousand could not be.
const EVENT_STATES = `
  INSERT INTO event_state (event, received, state, reason, matched, match_count, claim, begun, due)
  SELECT bench.id('e', n), received, state,
    CASE state WHEN 'unmatchable' THEN 'matching was begun 8 times without an end' END,
    CASE state WHEN 'matched' THEN received + interval '30 ms' END, CASE state WHEN 'matched' THEN 2 END,
    CASE state WHEN 'new' THEN 0 ELSE 1 END, CASE state WHEN 'new' THEN 0 ELSE 1 END, CASE state WHEN 'new' THEN received END
  FROM (
    SELECT n, bench.received(n, $3::bigint) AS received,
      CASE WHEN n > $3::bigint - ${NEWEST} THEN 'new' WHEN n % 2000 = 1 THEN 'unmatchable' ELSE 'matched' END AS state
    FROM generate_series($1::bigint, $2::bigint) n) e`

// Nought to five deliveries each. What is old is settled; of a disabled subscription what came lately is held; of the
// newest much waits for Policy, for its time, or is in hand.
const DELIVERIES = `
  WITH wanted AS (
    SELECT n, s, bench.id('e', n) AS event, bench.id('s', s) AS subscription, bench.owner_of(s, $5::int) AS owner,
      bench.received(n, $3::bigint) AS received, bench.part(n * 8 + k, 3) AS luck, s % 40 = 7 AS disabled,
      CASE WHEN n > $3::bigint - ${LATEST} THEN 'new' WHEN n > $3::bigint * 0.8 THEN 'late' ELSE 'old' END AS age
    FROM generate_series($1::bigint, $2::bigint) n
    CROSS JOIN LATERAL generate_series(1, CASE WHEN bench.part(n, 2) < 0.3 THEN 0 WHEN bench.part(n, 2) < 0.6 THEN 1
      WHEN bench.part(n, 2) < 0.8 THEN 2 WHEN bench.part(n, 2) < 0.9 THEN 3 WHEN bench.part(n, 2) < 0.96 THEN 4 ELSE 5 END) k
    CROSS JOIN LATERAL bench.subscription_of(n, k, $4::int) s
    WHERE n <= $3::bigint - ${NEWEST} AND n % 2000 <> 1),
  standing AS (
    SELECT *, CASE WHEN disabled AND age <> 'old' THEN 'held' WHEN luck < 0.03 THEN 'denied' WHEN luck < 0.04 THEN 'exhausted'
      WHEN luck < 0.043 THEN 'failed' WHEN luck < 0.047 THEN 'cancelled' WHEN age = 'new' AND luck < 0.25 THEN 'retrying'
      WHEN age = 'new' AND luck < 0.45 THEN 'pending' WHEN age = 'new' AND luck < 0.46 THEN 'delivering'
      ELSE 'delivered' END AS state FROM wanted),
  added AS (
    INSERT INTO delivery (uuid, event, subscription, owner, state, reason, attempt, claim, due, created, received, settled)
    SELECT bench.id('d', n * 100000 + s), event, subscription, owner, state,
      CASE WHEN state IN ('denied', 'exhausted', 'failed', 'held') THEN 'the reason, in a sentence of some length' END,
      CASE WHEN state IN ('delivered', 'delivering') THEN 1 WHEN state = 'exhausted' THEN 10
           WHEN state = 'retrying' THEN 1 + floor(luck * 20)::int ELSE 0 END,
      CASE WHEN state IN ('pending', 'held', 'denied') THEN 0 ELSE 1 END,
      CASE state WHEN 'held' THEN now() + luck * interval '30 minutes' WHEN 'retrying' THEN now() + (luck - 0.05) * interval '10 hours'
                 WHEN 'pending' THEN now() + interval '5 minutes' WHEN 'delivering' THEN now() + interval '1 minute' END,
      received, received, CASE WHEN state IN ('held', 'retrying', 'pending', 'delivering') THEN NULL ELSE received + interval '200 ms' END
    FROM standing RETURNING uuid, event, subscription, owner, state, attempt, received),
  answered AS (
    INSERT INTO policy_answer (event, owner, state, status_code, body, asked, claim, due, answered)
    SELECT DISTINCT ON (event, owner) event, owner,
      CASE state WHEN 'denied' THEN 'denied' WHEN 'pending' THEN 'asking' ELSE 'allowed' END,
      CASE state WHEN 'denied' THEN 412 WHEN 'pending' THEN NULL ELSE 200 END,
      CASE state WHEN 'pending' THEN NULL ELSE '{"status":"success"}' END, 0, 1,
      CASE state WHEN 'pending' THEN now() - interval '1 second' END, CASE state WHEN 'pending' THEN NULL ELSE received END
    FROM added WHERE state <> 'held' ORDER BY event, owner),
  tried AS (
    INSERT INTO attempt (delivery, number, replay, started, duration_ms, outcome, status_code, body, error)
    SELECT uuid, a, 0, received + a * interval '100 ms', 35, CASE WHEN well THEN 'accepted' ELSE 'refused' END,
      CASE WHEN well THEN 200 ELSE 503 END, CASE WHEN well THEN '{"status":"ok"}' ELSE '<html>Service Unavailable</html>' END,
      CASE WHEN NOT well THEN 'answered 503' END
    FROM added CROSS JOIN LATERAL generate_series(1, attempt + CASE WHEN bench.part(uuid, 4) < 0.1 THEN 1 ELSE 0 END) a
    CROSS JOIN LATERAL (SELECT state = 'delivered' AND a > attempt - 1 AS well) w WHERE attempt > 0)
  INSERT INTO task_event (delivery, task, sequence, replay, dispatcher, state, status, attempt, files_taken, bytes_taken,
                          bundles, created, started, settled, time)
  SELECT a.uuid, a.uuid, t, 0, 'dispatcher', (ARRAY['waiting', 'running', 'done'])[t],
    (ARRAY['202 Accepted', '102 Processing', '200 OK'])[t], least(t - 1, 1), CASE t WHEN 3 THEN 4 ELSE 0 END, 4000,
    CASE t WHEN 3 THEN '[{"bundle": "results.tar", "jobId": 4711}]'::jsonb ELSE '[]' END, a.received,
    CASE WHEN t > 1 THEN a.received END, CASE t WHEN 3 THEN a.received + interval '10 s' END, a.received + t * interval '3 s'
  FROM added a JOIN eventmatch m ON m.uuid = a.subscription AND m.target_url LIKE 'dispatch:%'
  CROSS JOIN generate_series(1, 3) t WHERE a.state = 'delivered'`

/** What the Python service had noted of the oldest hundredth. */
const NOTES = `
  INSERT INTO eventlogmatch (uuid, event_log_id, event_match_id, policy_status_code, policy_resp_body, target_status_code,
                             target_resp_body, created)
  SELECT bench.id('n', n), bench.id('e', n), bench.id('s', bench.subscription_of(n, 0, $4::int)),
    '200', '{"status":"success"}', '200', 'OK', bench.received(n, $3::bigint)
  FROM generate_series($1::bigint, $2::bigint) n WHERE n <= $3::bigint / 100`

const LETTERS = `
  INSERT INTO dead_letter (key, queue, reason, why, deaths, first_death, last_death, exchange, routing_key, properties,
                           headers, body, state, created, settled)
  SELECT 'k' || n, CASE WHEN n % 500 = 3 THEN 'pacifica.tasks' WHEN n % 3 = 0 THEN 'pacifica.receive' ELSE 'pacifica.dispatch.d' || n % 20 END,
    'rejected', 'it holds no event', 1, at, at, '', 'pacifica.receive', '{"contentType":"application/json"}', '{}',
    convert_to(repeat(md5('l' || n), 40), 'UTF8'), CASE WHEN n % 10 = 0 THEN 'dead' WHEN n % 2 = 0 THEN 'resent' ELSE 'dismissed' END,
    at, CASE WHEN n % 10 = 0 THEN NULL ELSE at END
  FROM (SELECT n, bench.received(n, $3::bigint) AS at FROM generate_series($1::bigint, $2::bigint) n) l`

/** One each, long done. */
const RECOVERIES = `
  INSERT INTO recover_job (subscription, asked_by, state, since, until, states, total, replayed, due, created, finished)
  SELECT bench.id('s', s), 'admin', 'done', now() - interval '60 days', now() - interval '50 days', ARRAY['exhausted'], 10, 10,
    NULL, now() - interval '50 days', now() - interval '50 days'
  FROM generate_series($1::bigint - 1, $2::bigint - 1) s`
