/** Joins among the tasks of a dispatcher: of three slots each, with the tasks of their events and those that ran on them. */

/**
 * How a join stands. The newest are open, one in ten of them past its deadline; of the name `gone` none is defined any
 * more. The oldest tenth has lost its own tasks to a purge.
 */
const STANDING = `
  standing AS MATERIALIZED (
    SELECT n, state, bench.id('j', n) AS id, 'sample ' || n % 5000 AS key,
      CASE WHEN n % 10 = 7 THEN 'gone' WHEN n % 3 = 0 THEN 'reports' ELSE 'spectra' END AS name,
      CASE WHEN n % 10 <> 7 AND n % 3 = 0 THEN 'fail' ELSE 'run' END AS at_deadline,
      bench.received(n, $3::bigint) AS created,
      CASE state WHEN 'open' THEN 1 + n % 2 WHEN 'complete' THEN 3 WHEN 'cancelled' THEN 1 ELSE 2 END AS events,
      state IN ('complete', 'expired') AS has_run
    FROM generate_series($1::bigint, $2::bigint) n
    CROSS JOIN LATERAL (SELECT CASE
      WHEN n > $3::bigint - greatest($3::bigint / 40, 30) THEN 'open' WHEN n % 15 = 1 THEN 'expired'
      WHEN n % 20 = 2 THEN 'failed' WHEN n % 100 = 3 THEN 'cancelled' ELSE 'complete' END AS state) s)`

const ALL = `
  joins AS (
    INSERT INTO task_join (id, name, key, state, slots, at_deadline, deadline, created, settled)
    SELECT id, name, key, state, '["raw", "blank", "calibration"]', at_deadline,
      CASE WHEN state <> 'open' THEN created + interval '1 day' WHEN n % 10 = 7 THEN created
           WHEN n % 10 = 0 THEN now() - interval '5 hours' ELSE now() + bench.part(n, 6) * interval '3 days' END,
      created, CASE WHEN state <> 'open' THEN created + interval '1 hour' END
    FROM standing),
  brought AS (
    SELECT s.*, e, bench.id('je', n * 4 + e) AS task FROM standing s CROSS JOIN LATERAL generate_series(1, events) e),
  slots AS (
    INSERT INTO task_join_slot (join_id, slot, task, created)
    SELECT id, (ARRAY['raw', 'blank', 'calibration'])[e], task, created FROM brought),
  deliveries AS (
    INSERT INTO task_delivery (delivery, replay, task, created) SELECT bench.id('jd', n * 4 + e), 0, task, created FROM brought),
  tasks AS (
    INSERT INTO task (id, digest, source, event_id, event, state, joined, claim, attempts, due, worker, exception_type,
                      exception_value, progress, created, updated, started, settled, size)
    SELECT task, encode(sha256(int8send(-4 * n - e)), 'hex'), 'http://metadata.pacifica.org/instrument/' || n % 97, 'joined.' || n || '.' || e,
      '{"cloudEventsVersion":"0.1","eventType":"org.pacifica.metadata.ingest","source":"http://metadata.pacifica.org/instrument/'
        || n % 97 || '","eventID":"joined.' || n || '.' || e || '","data":[{"destinationTable":"TransactionKeyValue","key":"Sample","value":"'
        || key || '"},{"destinationTable":"Files","_id":' || n * 4 + e || ',"name":"' || repeat(md5(n || ' ' || e), 20) || '"}]}',
      CASE state WHEN 'open' THEN 'joined' WHEN 'failed' THEN 'unrouted' WHEN 'cancelled' THEN 'cancelled' ELSE 'done' END,
      id, 1, 1, created, 'worker 1', CASE state WHEN 'failed' THEN 'JoinIncompleteError' END,
      CASE state WHEN 'failed' THEN 'calibration had not come by its deadline' END,
      jsonb_build_object('step', 'waits in the join ' || name), created, created, created,
      CASE WHEN state <> 'open' THEN created + interval '1 hour' END, 5000
    FROM brought)`

const RUNS = `
  INSERT INTO task (id, kind, join_run, digest, source, event_id, event, state, claim, attempts, due, worker, bundles,
                    exception_type, exception_value, created, updated, started, settled, size)
  SELECT bench.id('jr', n), 'join', id, encode(sha256(int8send(-4 * n)), 'hex'), 'urn:join', id::text, '{"cloudEventsVersion":"0.1"}',
    CASE WHEN failed THEN 'failed' ELSE 'done' END, 1, 1, created, 'worker 1', '[]', CASE WHEN failed THEN 'Error' END,
    CASE WHEN failed THEN 'no spectrum' END, created + interval '1 hour', created, created, created + interval '2 hours', 15000
  FROM (SELECT *, n % 30 = 4 AS failed FROM standing WHERE has_run AND n > $3::bigint / 10) s`

/** From one join's number to another's, of so many. */
export const JOINS = `WITH ${STANDING}, ${ALL} ${RUNS}`
