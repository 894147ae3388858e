/**
 * The questions to Policy: one row for each event and user, claimed and answered once for all of the user's
 * subscriptions. A yes releases the deliveries that wait for it, a no settles them, in the same transaction.
 */
import type { Sql } from '@pacifica/platform'
import { followDeliveries } from '../deliver/lanes.ts'
import type { PolicyAnswer } from './policy-client.ts'

export interface Question {
  readonly event: string
  readonly owner: string
  readonly jsondata: string
  readonly claim: number
  /** How often it was asked without an answer, this time included. */
  readonly asked: number
}

export interface Recorded {
  /** Deliveries that a no settled. */
  readonly denied: number
  /** Since the event was matched, in milliseconds; undefined unless this is the first answer to the question. */
  readonly firstAfterMs: number | undefined
}

export interface PolicyStore {
  claim(limit: number, leaseMs: number): Promise<Question[]>
  /** Undefined when the claim was lost in the meantime: nothing is changed then. */
  record(
    question: Question,
    answer: PolicyAnswer,
    askAgainMs: number,
  ): Promise<Recorded | undefined>
}

const claim = `
  WITH due AS (
    SELECT event, owner FROM policy_answer WHERE due <= now()
    ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED),
  claimed AS (
    UPDATE policy_answer p SET claim = p.claim + 1, asked = p.asked + 1, due = now() + $2 * interval '1 millisecond'
    FROM due WHERE p.event = due.event AND p.owner = due.owner
    RETURNING p.event, p.owner, p.claim, p.asked)
  SELECT claimed.*, e.jsondata FROM claimed JOIN eventlog e ON e.uuid = claimed.event`

const recordUnanswered = `
  UPDATE policy_answer SET status_code = $4, error = $5, due = now() + $6 * interval '1 millisecond'
  WHERE event = $1 AND owner = $2 AND claim = $3 AND state = 'asking'
  RETURNING event`

// Parked deliveries (their yes had grown old) are pending too: see deliver/claim.ts.
const recordAnswer = `
  WITH question AS (
    SELECT event, owner, answered FROM policy_answer
    WHERE event = $1 AND owner = $2 AND claim = $3 AND state = 'asking' FOR UPDATE),
  answered AS (
    UPDATE policy_answer p SET state = $4, status_code = $5, body = $6, error = NULL, asked = 0, due = NULL, answered = now()
    FROM question q WHERE p.event = q.event AND p.owner = q.owner
    RETURNING p.event, p.owner),
  released AS (
    UPDATE delivery d SET
      state = CASE WHEN $4 = 'denied' THEN 'denied' ELSE d.state END,
      reason = CASE WHEN $4 = 'denied' THEN $7 ELSE d.reason END,
      settled = CASE WHEN $4 = 'denied' THEN now() END,
      due = CASE WHEN $4 = 'denied' THEN NULL ELSE now() END
    FROM answered a WHERE d.event = a.event AND d.owner = a.owner AND d.state = 'pending'
    RETURNING d.state, d.subscription)
  SELECT (SELECT count(*) FROM released WHERE state = 'denied') AS denied,
    array(SELECT subscription FROM released WHERE state = 'pending') AS released,
    CASE WHEN q.answered IS NULL THEN extract(epoch FROM now() - e.matched)::float8 * 1000 END AS "firstAfterMs"
  FROM question q JOIN eventlog e ON e.uuid = q.event`

interface AnswerRow {
  readonly denied: number
  /** Subscriptions whose deliveries may go out. */
  readonly released: readonly string[]
  readonly firstAfterMs: number | null
}

export interface PolicyStoreNeeds {
  readonly sql: Sql
  /** Wakes the lanes of what was released; many answers may share one statement. */
  readonly follow?: (subscriptions: readonly string[]) => Promise<unknown>
}

export function policyStore(needs: PolicyStoreNeeds): PolicyStore {
  const { sql, follow = (released) => followDeliveries(sql, released) } = needs
  return {
    claim: (limit, leaseMs) => sql.query<Question>(claim, [limit, leaseMs], 'prepared'),
    async record({ event, owner, claim: claimed }, answer, askAgainMs) {
      const key = [event, owner, claimed]
      if (answer.kind === 'unanswered') {
        const values = [...key, answer.status, answer.reason, askAgainMs]
        const rows = await sql.query(recordUnanswered, values)
        return rows.length > 0 ? { denied: 0, firstAfterMs: undefined } : undefined
      }
      const { kind, status, body } = answer
      const reason = `policy answered ${status}: ${body.slice(0, 500)}`
      const [row] = await sql.query<AnswerRow>(recordAnswer, [...key, kind, status, body, reason])
      if (row !== undefined) await follow(row.released)
      return row && { denied: row.denied, firstAfterMs: row.firstAfterMs ?? undefined }
    },
  }
}
