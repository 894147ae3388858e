/**
 * Which deliveries a worker takes in hand. One statement decides for each due delivery what happens next: it is
 * claimed (a lease, and a fencing token that its result must carry), or set aside because its subscription is disabled
 * or deleted, or because policy said no or has to be asked again.
 */
import type { Sql } from '@pacifica/platform'
import { HELD_AGAIN, HELD_FIRST, PARKED_AGAIN } from './due.ts'

export interface ClaimedDelivery {
  readonly uuid: string
  readonly event: string
  readonly subscription: string
  readonly owner: string
  /** The fencing token. */
  readonly claim: number
  readonly attempt: number
  readonly replay: number
  readonly targetUrl: string
  readonly version: 'v0.1' | 'v1.0'
  /** JSON object text. */
  readonly extensions: string
  /** JSON object text, its secrets sealed. */
  readonly auth: string
  /** The secrets that sign it, sealed, the current one first; none: it goes unsigned. */
  readonly signing: readonly string[]
  readonly retry: { maxAttempts?: number; delaysMs?: number[] } | null
  readonly jsondata: string
  readonly digest: string
  /** How long it had been due when it was claimed, in milliseconds. */
  readonly lateMs: number
}

/** What one look at the due deliveries came to. */
export interface Look {
  readonly claimed: readonly ClaimedDelivery[]
  /** The states of those that were not claimed but set aside. */
  readonly aside: readonly ('pending' | 'held' | 'denied' | 'cancelled')[]
}

export interface ClaimOptions {
  readonly limit: number
  /** Outlives the request timeout: a live worker's lease never runs out under it. */
  readonly leaseMs: number
  /** A yes of policy that is older is asked for again before anything is sent. */
  readonly policyTtlMs: number
}

const claim = `
  WITH due AS (
    SELECT uuid, due FROM delivery WHERE due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED),
  looked AS (
    SELECT d.uuid, d.event, d.owner, p.state AS policy, extract(epoch FROM now() - due.due)::float8 * 1000 AS late,
      'policy answered ' || p.status_code || ': ' || left(p.body, 500) AS refusal,
      CASE WHEN m.deleted IS NOT NULL THEN 'cancelled'
           WHEN m.disabled IS NOT NULL THEN 'held'
           WHEN d.test THEN 'delivering'
           WHEN p.state = 'denied' THEN 'denied'
           WHEN p.state = 'allowed' AND p.answered > now() - $3 * interval '1 millisecond' THEN 'delivering'
           ELSE 'pending' END AS next
    FROM due JOIN delivery d USING (uuid)
    JOIN eventmatch m ON m.uuid = d.subscription
    LEFT JOIN policy_answer p ON p.event = d.event AND p.owner = d.owner),
  asked AS ( -- what is being asked is left alone: its answer locks the answer's row before the deliveries, not after
    INSERT INTO policy_answer AS p (event, owner)
    SELECT DISTINCT event, owner FROM looked WHERE next = 'pending' AND policy IS DISTINCT FROM 'asking'
    ORDER BY event, owner
    ON CONFLICT (event, owner) DO UPDATE SET state = 'asking', due = now()
      WHERE p.state = 'allowed' AND p.answered <= now() - $3 * interval '1 millisecond'),
  moved AS (
    UPDATE delivery d SET state = l.next, claim = d.claim + 1,
      due = CASE l.next WHEN 'delivering' THEN now() + $2 * interval '1 millisecond'
                        WHEN 'pending' THEN now() + ${PARKED_AGAIN}
                        WHEN 'held' THEN now() + CASE d.state WHEN 'held' THEN ${HELD_AGAIN} ELSE ${HELD_FIRST} END END,
      reason = CASE l.next WHEN 'cancelled' THEN 'the subscription was deleted'
                           WHEN 'held' THEN 'the subscription is disabled'
                           WHEN 'denied' THEN l.refusal
                           ELSE d.reason END,
      settled = CASE WHEN l.next IN ('cancelled', 'denied') THEN now() END
    FROM looked l WHERE d.uuid = l.uuid
    RETURNING d.uuid, d.event, d.subscription, d.owner, d.state, d.claim, d.attempt, d.replay, d.test, l.late)
  SELECT c.state, c.uuid, c.event, c.subscription, c.owner, c.claim, c.attempt, c.replay, c.late AS "lateMs",
         m.target_url AS "targetUrl", m.version, m.extensions, m.auth,
         CASE WHEN c.test THEN '{"maxAttempts": 1}'::jsonb ELSE m.retry END AS retry, e.jsondata, e.digest,
         array(SELECT s.value->>'secret' FROM jsonb_array_elements(m.signing) WITH ORDINALITY AS s (value, place)
               WHERE coalesce((s.value->>'until')::timestamptz > now(), true) ORDER BY s.place) AS signing
  FROM moved c
  LEFT JOIN eventmatch m ON m.uuid = c.subscription AND c.state = 'delivering'
  LEFT JOIN eventlog e ON e.uuid = c.event AND c.state = 'delivering'`

type Moved =
  | ({ readonly state: 'delivering' } & ClaimedDelivery)
  | { readonly state: Look['aside'][number] }

export async function lookAtDue(sql: Sql, options: ClaimOptions): Promise<Look> {
  const { limit, leaseMs, policyTtlMs } = options
  const moved = await sql.query<Moved>(claim, [limit, leaseMs, policyTtlMs])
  return {
    claimed: moved.flatMap((row) => (row.state === 'delivering' ? [row] : [])),
    aside: moved.flatMap((row) => (row.state === 'delivering' ? [] : [row.state])),
  }
}

/** What is claimed, for those who do not ask what was set aside. */
export async function claimDeliveries(
  sql: Sql,
  options: ClaimOptions,
): Promise<readonly ClaimedDelivery[]> {
  return (await lookAtDue(sql, options)).claimed
}
