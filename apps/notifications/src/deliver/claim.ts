/**
 * Which deliveries a worker takes in hand. One statement decides for each due delivery what happens next: it is
 * claimed (a lease, and a fencing token that its result must carry), or set aside because its subscription is disabled
 * or deleted, or because policy said no or has to be asked again.
 */
import type { Sql } from '@pacifica/platform'

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
  readonly retry: { maxAttempts?: number; delaysMs?: number[] } | null
  readonly jsondata: string
  readonly digest: string
}

export interface ClaimOptions {
  readonly limit: number
  /** Outlives the request timeout: a live worker's lease never runs out under it. */
  readonly leaseMs: number
  /** A yes of policy that is older is asked for again before anything is sent. */
  readonly policyTtlMs: number
}

/**
 * A parked delivery waits for policy's new answer, which makes it due at once (authorize/policy-store.ts). This is the
 * net under that: an answer that came between our look and our commit.
 */
const PARKED = "interval '60 seconds'"

const claim = `
  WITH due AS (
    SELECT uuid FROM delivery WHERE due <= now() ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED),
  looked AS (
    SELECT d.uuid, d.event, d.owner,
      CASE WHEN m.deleted IS NOT NULL THEN 'cancelled'
           WHEN m.disabled IS NOT NULL THEN 'held'
           WHEN d.test THEN 'delivering'
           WHEN p.state = 'denied' THEN 'denied'
           WHEN p.state = 'allowed' AND p.answered > now() - $3 * interval '1 millisecond' THEN 'delivering'
           ELSE 'pending' END AS next
    FROM due JOIN delivery d USING (uuid)
    JOIN eventmatch m ON m.uuid = d.subscription
    LEFT JOIN policy_answer p ON p.event = d.event AND p.owner = d.owner),
  asked AS (
    INSERT INTO policy_answer AS p (event, owner)
    SELECT DISTINCT event, owner FROM looked WHERE next = 'pending'
    ON CONFLICT (event, owner) DO UPDATE SET state = 'asking', due = now()
      WHERE p.state = 'allowed' AND p.answered <= now() - $3 * interval '1 millisecond'),
  claimed AS (
    UPDATE delivery d SET state = l.next, claim = d.claim + 1,
      due = CASE l.next WHEN 'delivering' THEN now() + $2 * interval '1 millisecond'
                        WHEN 'pending' THEN now() + ${PARKED} END,
      settled = CASE WHEN l.next IN ('cancelled', 'denied') THEN now() END
    FROM looked l WHERE d.uuid = l.uuid
    RETURNING d.uuid, d.event, d.subscription, d.owner, d.state, d.claim, d.attempt, d.replay, d.test)
  SELECT c.uuid, c.event, c.subscription, c.owner, c.claim, c.attempt, c.replay,
         m.target_url AS "targetUrl", m.version, m.extensions, m.auth,
         CASE WHEN c.test THEN '{"maxAttempts": 1}'::jsonb ELSE m.retry END AS retry, e.jsondata, e.digest
  FROM claimed c JOIN eventmatch m ON m.uuid = c.subscription JOIN eventlog e ON e.uuid = c.event
  WHERE c.state = 'delivering'`

export function claimDeliveries(sql: Sql, options: ClaimOptions): Promise<ClaimedDelivery[]> {
  return sql.query<ClaimedDelivery>(claim, [options.limit, options.leaseMs, options.policyTtlMs])
}
