/**
 * The questions to Policy: one row for each event and user, claimed and answered once for all of the user's
 * subscriptions. A yes releases the deliveries that wait for it, a no settles them, in the same transaction.
 */
import type { Sql } from '@pacifica/platform'
import type { PolicyAnswer } from './policy-client.ts'

export interface Question {
  readonly event: string
  readonly owner: string
  readonly jsondata: string
  readonly claim: number
  /** How often it was asked without an answer, this time included. */
  readonly asked: number
}

export interface PolicyStore {
  claim(limit: number, leaseMs: number): Promise<Question[]>
  /** False when the claim was lost in the meantime: nothing is changed then. */
  record(question: Question, answer: PolicyAnswer, askAgainMs: number): Promise<boolean>
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
  WITH answered AS (
    UPDATE policy_answer SET state = $4, status_code = $5, body = $6, error = NULL, asked = 0, due = NULL, answered = now()
    WHERE event = $1 AND owner = $2 AND claim = $3 AND state = 'asking'
    RETURNING event, owner),
  released AS (
    UPDATE delivery d SET
      state = CASE WHEN $4 = 'denied' THEN 'denied' ELSE d.state END,
      reason = CASE WHEN $4 = 'denied' THEN $7 ELSE d.reason END,
      settled = CASE WHEN $4 = 'denied' THEN now() END,
      due = CASE WHEN $4 = 'denied' THEN NULL ELSE now() END
    FROM answered a WHERE d.event = a.event AND d.owner = a.owner AND d.state = 'pending')
  SELECT event FROM answered`

export function policyStore(needs: { sql: Sql }): PolicyStore {
  return {
    claim: (limit, leaseMs) => needs.sql.query<Question>(claim, [limit, leaseMs]),
    async record(question, answer, askAgainMs) {
      const { event, owner } = question
      const key = [event, owner, question.claim]
      const rows =
        answer.kind === 'unanswered'
          ? await needs.sql.query(recordUnanswered, [
              ...key,
              answer.status,
              answer.reason,
              askAgainMs,
            ])
          : await needs.sql.query(recordAnswer, [
              ...key,
              answer.kind,
              answer.status,
              answer.body,
              `policy answered ${answer.status}: ${answer.body.slice(0, 500)}`,
            ])
      return rows.length > 0
    },
  }
}
