/**
 * What Policy has said, for a batch of questions. A yes releases the deliveries that wait for it, a no settles them, in the
 * same transaction. An answer counts only while its question carries the claim that it was asked under.
 */
import type { Sql } from '@pacifica/platform'
import type { PolicyAnswer } from './policy-client.ts'
import type { Question } from './policy-store.ts'

export interface Answered {
  readonly question: Pick<Question, 'event' | 'owner' | 'claim'>
  readonly answer: PolicyAnswer
  /** When there was no answer. */
  readonly askAgainMs: number
}

export interface Recorded {
  /** Deliveries that a no settled. */
  readonly denied: number
  /** Subscriptions whose deliveries may go out: their lanes are to be followed. */
  readonly released: readonly string[]
  /** Since the event was matched, in milliseconds; undefined unless this is the first answer to the question. */
  readonly firstAfterMs: number | undefined
}

// Written so that no index of states is taken for it: how many are in a state is what the statistics know least about.
const IS_ASKING = "p.state || '' = 'asking'"
const IS_PENDING = "d.state || '' = 'pending'"

const recordUnanswered = `
  WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::int[], $5::text[], $6::float8[])
      AS g (event, owner, claim, status, error, again_ms)),
  question AS (
    SELECT p.event, p.owner, g.status, g.error, g.again_ms FROM policy_answer p JOIN given g USING (event, owner)
    WHERE p.claim = g.claim AND ${IS_ASKING}
    ORDER BY p.event, p.owner FOR UPDATE OF p)
  UPDATE policy_answer p SET status_code = q.status, error = q.error, due = now() + q.again_ms * interval '1 millisecond'
  FROM question q WHERE p.event = q.event AND p.owner = q.owner
  RETURNING p.event, p.owner, 0 AS denied, '{}'::uuid[] AS released, NULL::float8 AS "firstAfterMs"`

// Questions are locked in order, so that two batches never cross, and before their deliveries. Parked deliveries (their
// yes had grown old) are pending too: see deliver/claim.ts.
const recordAnswered = `
  WITH given AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::int[], $6::text[], $7::text[])
      AS g (event, owner, claim, state, status, body, reason)),
  question AS (
    SELECT p.event, p.owner, p.answered, g.state, g.status, g.body, g.reason
    FROM policy_answer p JOIN given g USING (event, owner)
    WHERE p.claim = g.claim AND ${IS_ASKING}
    ORDER BY p.event, p.owner FOR UPDATE OF p),
  answered AS (
    UPDATE policy_answer p SET state = q.state, status_code = q.status, body = q.body, error = NULL, asked = 0, due = NULL,
      answered = now()
    FROM question q WHERE p.event = q.event AND p.owner = q.owner
    RETURNING p.event, p.owner, p.state, q.reason),
  released AS (
    UPDATE delivery d SET
      state = CASE a.state WHEN 'denied' THEN 'denied' ELSE d.state END,
      reason = CASE a.state WHEN 'denied' THEN a.reason ELSE d.reason END,
      settled = CASE a.state WHEN 'denied' THEN now() END,
      due = CASE a.state WHEN 'denied' THEN NULL ELSE now() END
    FROM answered a WHERE d.event = a.event AND d.owner = a.owner AND ${IS_PENDING}
    RETURNING d.event, d.owner, d.state, d.subscription)
  SELECT q.event, q.owner, count(*) FILTER (WHERE r.state = 'denied')::int AS denied,
    coalesce(array_agg(r.subscription) FILTER (WHERE r.state = 'pending'), '{}') AS released,
    CASE WHEN q.answered IS NULL THEN extract(epoch FROM now() - s.matched)::float8 * 1000 END AS "firstAfterMs"
  FROM question q JOIN event_state s ON s.event = q.event
  LEFT JOIN released r ON r.event = q.event AND r.owner = q.owner
  GROUP BY q.event, q.owner, q.answered, s.matched`

interface AnswerRow {
  readonly event: string
  readonly owner: string
  readonly denied: number
  readonly released: readonly string[]
  readonly firstAfterMs: number | null
}

/** For each, in their order; undefined where the claim was lost in the meantime: nothing is changed then. */
export async function recordAnswers(
  sql: Sql,
  answers: readonly Answered[],
): Promise<(Recorded | undefined)[]> {
  // Answers last: should a statement fail, the batch is stored again, which would not find them a second time.
  const unanswered = await storeUnanswered(sql, answers)
  const rows = [...unanswered, ...(await storeAnswered(sql, answers))]
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  return answers.map(({ question }) => {
    const row = byKey.get(keyOf(question))
    return row && { ...row, firstAfterMs: row.firstAfterMs ?? undefined }
  })
}

async function storeAnswered(sql: Sql, answers: readonly Answered[]): Promise<AnswerRow[]> {
  const given = answers.flatMap(({ question, answer }) =>
    answer.kind === 'unanswered' ? [] : [{ ...question, ...answer }],
  )
  if (given.length === 0) return []
  const values = [
    ...keys(given),
    given.map(({ kind }) => kind),
    given.map(({ status }) => status),
    given.map(({ body }) => body),
    given.map(reasonOf),
  ]
  return sql.query<AnswerRow>(recordAnswered, values, 'prepared')
}

/** For a delivery that a no settles. */
export function reasonOf({ status, body }: { status: number; body: string }): string {
  return `policy answered ${status}: ${body.slice(0, 500)}`
}

async function storeUnanswered(sql: Sql, answers: readonly Answered[]): Promise<AnswerRow[]> {
  const given = answers.flatMap(({ question, answer, askAgainMs }) =>
    answer.kind === 'unanswered' ? [{ ...question, ...answer, askAgainMs }] : [],
  )
  if (given.length === 0) return []
  const values = [
    ...keys(given),
    given.map(({ status }) => status),
    given.map(({ reason }) => reason),
    given.map(({ askAgainMs }) => askAgainMs),
  ]
  return sql.query<AnswerRow>(recordUnanswered, values, 'prepared')
}

function keys(given: readonly Answered['question'][]): unknown[][] {
  return [
    given.map(({ event }) => event),
    given.map(({ owner }) => owner),
    given.map(({ claim }) => claim),
  ]
}

function keyOf({ event, owner }: { event: string; owner: string }): string {
  return `${event} ${owner}`
}
