/**
 * What became of claimed deliveries: the next state and the attempt's row, in one transaction, for a whole batch.
 * A result counts only while the row carries the claim that it was made under; a late one changes nothing.
 */
import type { Sql } from '@pacifica/platform'
import type { ClaimedDelivery } from './claim.ts'
import { isSettled, type Outcome, type Settlement, wasSent } from './delivery.ts'

export interface Result {
  readonly delivery: ClaimedDelivery
  readonly outcome: Outcome
  readonly settlement: Settlement
  /** How long ago the request began, and how long it took, in milliseconds. */
  readonly beganAgoMs: number
  readonly durationMs: number
}

const record = `
  WITH result AS (
    SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::int[], $5::text[], $6::float8[], $7::bool[])
      AS r (uuid, claim, state, attempt, reason, due_in_ms, settled)),
  moved AS (
    UPDATE delivery d SET state = r.state, attempt = r.attempt, reason = r.reason, holder = NULL,
      due = now() + r.due_in_ms * interval '1 millisecond', settled = CASE WHEN r.settled THEN now() END
    FROM result r WHERE d.uuid = r.uuid AND d.claim = r.claim AND d.state = 'delivering'
    RETURNING d.uuid, d.subscription, d.state, d.replay),
  logged AS (
    INSERT INTO attempt (delivery, number, replay, started, duration_ms, outcome, status_code, body, error)
    SELECT a.uuid, a.number, moved.replay, now() - a.began_ago_ms * interval '1 millisecond', a.duration_ms,
           a.outcome, a.status_code, a.body, a.error
    FROM unnest($8::uuid[], $9::int[], $10::float8[], $11::int[], $12::text[], $13::int[], $14::text[], $15::text[])
      AS a (uuid, number, began_ago_ms, duration_ms, outcome, status_code, body, error)
    JOIN moved ON moved.uuid = a.uuid),
  tried AS (
    SELECT subscription, bool_or(state = 'delivered') AS succeeded FROM moved
    WHERE state IN ('delivered', 'retrying', 'exhausted') GROUP BY subscription),
  changed AS (
    SELECT m.uuid, t.succeeded FROM eventmatch m JOIN tried t ON t.subscription = m.uuid
    WHERE CASE WHEN t.succeeded
      THEN m.failing_since IS NOT NULL OR m.last_success IS NULL OR m.last_success < now() - interval '10 seconds'
      ELSE m.failing_since IS NULL END
    ORDER BY m.uuid FOR NO KEY UPDATE OF m), -- in order: two batches with the same subscriptions must not cross
  health AS (
    UPDATE eventmatch m SET
      last_success = CASE WHEN c.succeeded THEN now() ELSE m.last_success END,
      failing_since = CASE WHEN c.succeeded THEN NULL ELSE coalesce(m.failing_since, now()) END
    FROM changed c WHERE m.uuid = c.uuid)
  SELECT uuid FROM moved`

// Under the same claim: the answer was lost with the connection.
const recordedBefore = `
  SELECT d.uuid FROM delivery d
  JOIN unnest($1::uuid[], $2::bigint[], $3::text[]) AS r (uuid, claim, state) USING (uuid, claim, state)`

/** Stores the results, also when they are stored already; answers the ids of the deliveries that were still ours. */
export async function recordResults(sql: Sql, results: readonly Result[]): Promise<Set<string>> {
  const attempts = results.flatMap((result) => {
    const { outcome } = result
    return wasSent(outcome) ? [{ result, said: describe(outcome) }] : []
  })
  const values = [
    results.map((r) => r.delivery.uuid),
    results.map((r) => r.delivery.claim),
    results.map((r) => r.settlement.state),
    results.map((r) => r.settlement.attempt),
    results.map((r) => text(r.settlement.reason)),
    results.map((r) => r.settlement.dueInMs),
    results.map((r) => isSettled(r.settlement.state)),
    attempts.map(({ result }) => result.delivery.uuid),
    attempts.map(({ result }) => result.settlement.attempt),
    attempts.map(({ result }) => result.beganAgoMs),
    attempts.map(({ result }) => Math.round(result.durationMs)),
    attempts.map(({ said }) => said.kind),
    attempts.map(({ said }) => said.status),
    attempts.map(({ said }) => text(said.body)),
    attempts.map(({ said }) => text(said.error)),
  ]
  const rows = await sql.query<{ uuid: string }>(record, values, 'prepared')
  if (rows.length < results.length)
    rows.push(...(await sql.query<{ uuid: string }>(recordedBefore, values.slice(0, 3))))
  return new Set(rows.map((row) => row.uuid))
}

type Sent = Exclude<Outcome, { kind: 'impossible' | 'away' | 'unsent' }>

function describe(outcome: Sent) {
  return {
    kind: outcome.kind,
    status: 'status' in outcome ? outcome.status : null,
    body: 'body' in outcome ? outcome.body : null,
    error: 'reason' in outcome ? outcome.reason : null,
  } satisfies {
    kind: Sent['kind']
    status: number | null
    body: string | null
    error: string | null
  }
}

/** A text column cannot hold U+0000. */
function text(value: string | null): string | null {
  return value === null ? null : value.replaceAll('\u0000', '\uFFFD')
}
