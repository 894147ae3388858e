/** The tables of a dispatcher: one task for each fourth event, with its logs, uploads and carts; joins beside them. */
import type { Sql } from '@pacifica/platform'
import type { Filling } from './fill.ts'
import { JOINS } from './fill-joins.ts'
import type { Size } from './numbers.ts'

export function dispatcherRows({ tasks, joins, outbox }: Size): Filling[] {
  return [
    {
      what: 'tasks with all that belongs to them, and joins',
      rows: tasks,
      slice: SLICE,
      fill: async (sql: Sql, from, to) => {
        await sql.query(TASKS, [from, to, tasks])
        for (const statement of OF_TASKS) await sql.query(statement, [from, to])
        const before = (task: number) => Math.floor((task * joins) / tasks)
        await sql.query(JOINS, [before(from - 1) + 1, before(to), joins])
      },
    },
    {
      what: 'outbox and carts',
      rows: outbox,
      slice: 10_000,
      fill: async (sql: Sql, from, to) => {
        await sql.query(OUTBOX, [from, to, tasks])
        await sql.query(CARTS, [from, to, tasks])
      },
    },
  ]
}

/** Short, so that joins and other tasks of the same time lie side by side. */
const SLICE = 2_500

// The newest are waiting, retrying or running; one in two hundred is a dry run.
const TASKS = `
  INSERT INTO task (id, digest, source, event_id, event, state, kind, repeats, claim, attempts, due, worker, files_taken,
                    bytes_taken, bundles, exception_type, exception_value, exception_traceback, created, updated, started,
                    settled, size)
  SELECT bench.id('t', n), encode(sha256(int8send(n)), 'hex'), source, 'metadata.ingest.' || n,
    '{"cloudEventsVersion":"0.1","eventType":"org.pacifica.metadata.ingest","source":"' || source || '","eventID":"metadata.ingest.'
      || n || '","eventTime":"2026-09-01T10:00:00","data":[{"destinationTable":"Transactions._id","value":' || n || '},'
      || (SELECT string_agg('{"destinationTable":"Files","_id":' || n * 10 + f || ',"name":"' || md5(n || ' ' || f) || '.bin","subdir":"run '
            || f || '","size":1000,"hashtype":"sha1","hashsum":"' || md5(f || ' ' || n) || left(md5(n || 'h' || f), 8)
            || '","mimetype":"application/octet-stream","ctime":"2026-09-01T10:00:00","mtime":"2026-09-01T10:00:00"}', ',')
          FROM generate_series(1, 5) f) || ']}',
    state, CASE WHEN n % 200 = 9 THEN 'dry-run' WHEN n % 200 = 10 THEN 'retry' ELSE 'event' END,
    CASE WHEN n % 200 IN (9, 10) THEN bench.id('t', n - 5) END, 1, 1,
    CASE WHEN state = 'running' THEN now() + interval '1 minute' ELSE created END, 'worker 1', 5, 5000,
    CASE state WHEN 'done' THEN '[{"bundle": "results.tar", "jobId": 4711}]'::jsonb ELSE '[]' END,
    CASE WHEN failed THEN 'Error' END, CASE WHEN failed THEN 'sample ' || n % 1000 || ' has no spectrum' END,
    CASE WHEN failed THEN repeat('    at handle (file:///srv/dispatcher/handler.js:12:34)' || chr(10), 8) ELSE '' END,
    created, created, CASE WHEN state <> 'waiting' THEN created END,
    CASE WHEN state IN ('waiting', 'running', 'retrying') THEN NULL ELSE created + interval '30 s' END, 5000
  FROM (
    SELECT n, state, state IN ('failed', 'unrouted', 'timed-out') AS failed, bench.received(n, $3::bigint) AS created,
      'http://metadata.pacifica.org/instrument/' || CASE WHEN n % 20000 = 19 THEN 'rare' ELSE (n % 97)::text END AS source
    FROM generate_series($1::bigint, $2::bigint) n
    CROSS JOIN LATERAL (SELECT CASE
      WHEN n > $3::bigint - greatest($3::bigint / 1000, 4) THEN 'waiting' WHEN n > $3::bigint - greatest($3::bigint / 700, 8) THEN 'retrying' WHEN n > $3::bigint - greatest($3::bigint / 500, 12) THEN 'running'
      WHEN n % 33 = 1 THEN 'failed' WHEN n % 200 = 3 THEN 'unrouted' WHEN n % 400 = 5 THEN 'timed-out'
      WHEN n % 1000 = 7 THEN 'cancelled' ELSE 'done' END AS state) s) t`

const OF_TASKS = [
  `INSERT INTO task_delivery (delivery, replay, task, created)
   SELECT bench.id('td', n), 0, bench.id('t', n), now() FROM generate_series($1::bigint, $2::bigint) n WHERE n % 200 NOT IN (9, 10)`,
  `INSERT INTO task_upload (task, number, state, last, job_id, bundle, manifest)
   SELECT bench.id('t', n), 1, 'done', true, n, 'results.tar',
     jsonb_build_object('files', jsonb_build_array(jsonb_build_object('name', md5('f' || n), 'size', 100, 'sha1', md5('g' || n))))
   FROM generate_series($1::bigint, $2::bigint) n WHERE n % 10 <> 1`,
  `INSERT INTO task_log (task, claim, stream, text)
   SELECT bench.id('t', n), 1, (ARRAY['out', 'log'])[l], repeat('read ' || md5('l' || n) || chr(10), 8)
   FROM generate_series($1::bigint, $2::bigint) n CROSS JOIN generate_series(1, 2) l`,
]

/** Three changes of each of the newest tasks, which a broker that is away has not taken. */
const OUTBOX = `
  INSERT INTO task_outbox (task, state, deliveries, snapshot, due)
  SELECT bench.id('t', $3::bigint - n / 3), 'done', '[]', jsonb_build_object('id', bench.id('t', n), 'state', 'done'),
    now() + (bench.part(n, 5) - 0.5) * interval '1 minute'
  FROM generate_series($1::bigint, $2::bigint) n`

const CARTS = `
  INSERT INTO task_cart (cart, task, claim, created)
  SELECT bench.id('c', n), bench.id('t', $3::bigint - n), 1, now() - interval '1 hour' FROM generate_series($1::bigint, $2::bigint) n
  WHERE n % 50 = 0`
