/** What Policy says of an event and a user: as recorded, or asked now. A fresh answer is told, not stored. */
import type { Sql } from '@pacifica/platform'
import type { PolicyClient } from '../authorize/policy-client.ts'

export interface PolicySaid {
  readonly user: string
  readonly state: string
  readonly status_code: number | null
  readonly body: string | null
  readonly error: string | null
  readonly answered: string | null
  readonly fresh: boolean
}

interface Row {
  readonly state: string
  readonly statusCode: number | null
  readonly body: string | null
  readonly error: string | null
  readonly answered: Date | null
}

const stored = `
  SELECT state, status_code AS "statusCode", body, error, answered FROM policy_answer
  WHERE event = $1 AND owner = $2`

/** Undefined when Policy was never asked, or the event is not one of ours. */
export async function storedPolicy(
  sql: Sql,
  event: string | undefined,
  user: string,
): Promise<PolicySaid | undefined> {
  if (event === undefined) return undefined
  const [row] = await sql.query<Row>(stored, [event, user])
  if (row === undefined) return undefined
  const { state, statusCode, body, error, answered } = row
  return {
    user,
    state,
    status_code: statusCode,
    body,
    error,
    answered: answered?.toISOString() ?? null,
    fresh: false,
  }
}

export async function askPolicy(
  needs: { policy: PolicyClient; stopping: AbortSignal },
  user: string,
  text: string,
): Promise<PolicySaid> {
  const answer = await needs.policy.ask(user, text, needs.stopping)
  const answered = answer.kind !== 'unanswered'
  return {
    user,
    state: answer.kind,
    status_code: answer.status,
    body: answered ? answer.body : null,
    error: answered ? null : answer.reason,
    answered: answered ? new Date().toISOString() : null,
    fresh: true,
  }
}
