/**
 * The questions to Policy: one row for each event and user, claimed and answered once for all of the user's
 * subscriptions.
 */
import type { Sql } from '@pacifica/platform'
import { followDeliveries } from '../deliver/lanes.ts'
import type { PolicyAnswer } from './policy-client.ts'
import { type Answered, type Recorded, recordAnswers } from './record-answers.ts'

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
  /** Undefined when the claim was lost in the meantime: nothing is changed then. */
  record(
    question: Question,
    answer: PolicyAnswer,
    askAgainMs: number,
  ): Promise<Omit<Recorded, 'released'> | undefined>
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

export interface PolicyStoreNeeds {
  readonly sql: Sql
  /** Stores an answer and wakes the lanes of what it released; many may share one statement. Default: one alone. */
  readonly record?: (answered: Answered) => Promise<Recorded | undefined>
}

export function policyStore(needs: PolicyStoreNeeds): PolicyStore {
  const { sql, record = (answered) => recordAlone(sql, answered) } = needs
  return {
    claim: (limit, leaseMs) => sql.query<Question>(claim, [limit, leaseMs], 'prepared'),
    record: (question, answer, askAgainMs) => record({ question, answer, askAgainMs }),
  }
}

async function recordAlone(sql: Sql, answered: Answered): Promise<Recorded | undefined> {
  const [recorded] = await recordAnswers(sql, [answered])
  if (recorded !== undefined) await followDeliveries(sql, recorded.released)
  return recorded
}
