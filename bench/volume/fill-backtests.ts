/** Backtests, each with the events that it shows: one user has as many as are kept, the newest have not ended. */
export const BACKTESTS = `
  WITH standing AS (
    SELECT n, bench.id('b', n) AS uuid, bench.received(n, $3::bigint) AS created,
      CASE WHEN n > $3::bigint - 8 THEN (ARRAY['running', 'waiting'])[1 + n % 2] WHEN n % 20 = 3 THEN 'failed'
           WHEN n % 20 = 7 THEN 'cancelled' ELSE 'done' END AS state,
      'user ' || CASE WHEN n % greatest($3::bigint / 50, 1) = 0 THEN 0 ELSE 1 + n % ($4::bigint - 1) END AS asked_by
    FROM generate_series($1::bigint, $2::bigint) n),
  jobs AS (
    INSERT INTO backtest_job (uuid, asked_by, owner, sees_all, name, jsonpath, dialect, version, since, until, samples,
                              policy, state, reason, complete, total, tally, position_created, position_event, claim, begun,
                              due, created, started, updated, finished)
    SELECT uuid, asked_by, asked_by, false, 'draft ' || n,
      '$.data[?(@.destinationTable = "Transactions.instrument" and @.value = ' || n % 97 || ')]', 'jsonpath2', 'v0.1',
      created - interval '30 days', created, 20, true, state, CASE WHEN state = 'failed' THEN 'Policy was silent' END,
      state = 'done', CASE WHEN state <> 'waiting' THEN 60000 END,
      CASE WHEN state <> 'waiting' THEN '{"looked":60000,"evaluated":20000,"matched":600,"steps":900000,"buckets":{"2026-09-01":600}}' END,
      CASE WHEN state <> 'waiting' THEN created - interval '20 days' END,
      CASE WHEN state <> 'waiting' THEN bench.id('e', n) END, 100, 0,
      CASE WHEN state IN ('waiting', 'running') THEN created - interval '1 minute' END, created,
      CASE WHEN state <> 'waiting' THEN created END, created,
      CASE WHEN state NOT IN ('waiting', 'running') THEN created + interval '5 minutes' END
    FROM standing)
  INSERT INTO backtest_sample (job, kind, event, place, policy, found)
  SELECT uuid, CASE WHEN s > 18 THEN 'over_budget' ELSE 'matched' END,
    bench.id('e', 1 + floor(bench.part(n * 32 + s, 9) * $5::bigint)::bigint), s * 1000, 'allowed',
    '[{"path":"$.data[3]","value":{"destinationTable":"Transactions.instrument","value":' || n % 97 || '}}]'
  FROM standing CROSS JOIN generate_series(1, 20) s WHERE state <> 'waiting'
  ON CONFLICT DO NOTHING`
