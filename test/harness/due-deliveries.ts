/** Subscriptions with deliveries that are due and allowed, put straight into the tables, for tests of claims. */
import type { Sql } from '@pacifica/platform'

export interface DueDeliveries {
  /** Uuid and name come from it. */
  readonly name: string
  readonly count: number
  readonly user?: string
  readonly targetUrl?: string
  readonly maxConcurrency?: number
  /** Attempts already made: from 1 on they are retries. */
  readonly attempt?: number
  /** How long they have been due, in seconds; the first one longest. Default 3 600. */
  readonly ago?: number
}

const SUBSCRIBE = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, max_concurrency, revision)
  VALUES (md5($1)::uuid, $1, '$.nothing', $2, $3, $4, 1)
  ON CONFLICT DO NOTHING`

const DELIVER = `
  WITH event AS (
    INSERT INTO eventlog (uuid, jsondata)
    SELECT gen_random_uuid(), '{"cloudEventsVersion":"0.1","eventType":"t","source":"/s","eventID":"e"}'
    FROM generate_series(1, $2::int) RETURNING uuid),
  matched AS (INSERT INTO event_state (event, state, due) SELECT uuid, 'matched', NULL FROM event),
  allowed AS (
    INSERT INTO policy_answer (event, owner, state, answered, due)
    SELECT uuid, $3, 'allowed', now() + interval '1 day', NULL FROM event)
  INSERT INTO delivery (event, subscription, owner, state, attempt, due)
  SELECT uuid, md5($1)::uuid, $3, CASE WHEN $4 > 0 THEN 'retrying' ELSE 'pending' END, $4,
    now() - $5 * interval '1 second' + row_number() OVER () * interval '1 microsecond'
  FROM event`

/** No subscription, no event, and nothing that came of them. */
export async function emptyTables(sql: Sql): Promise<void> {
  await sql.query(
    'TRUNCATE lane, attempt, delivery, policy_answer, eventlog, event_state, eventmatch CASCADE',
  )
}

/** Answers the subscription's uuid. */
export async function fillDue(sql: Sql, due: DueDeliveries): Promise<string> {
  const { name, count, user = 'ann', targetUrl = `http://${name}.example.org/` } = due
  await sql.query(SUBSCRIBE, [name, user, targetUrl, due.maxConcurrency ?? null])
  await sql.query(DELIVER, [name, count, user, due.attempt ?? 0, due.ago ?? 3_600])
  const [row] = await sql.query<{ uuid: string }>('SELECT md5($1)::uuid AS uuid', [name])
  return row?.uuid ?? ''
}
