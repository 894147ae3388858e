/**
 * Slow start: after a failed attempt a subscription's target gets one request at a time, after a success one more for
 * each success (1, 2, 4, 8 …), until it has as many as its cap allows again.
 */
import type { Sql } from '@pacifica/platform'
import type { Outcome } from './delivery.ts'

export interface Tried {
  readonly delivery: { readonly subscription: string; readonly ramped: boolean }
  readonly outcome: Outcome
}

/** What a batch of results says about a target. */
export interface Change {
  readonly subscription: string
  readonly failed: boolean
  readonly succeeded: number
}

/** Whether the target is in trouble: it gave no answer, or said so. A target that refuses an event is not. */
export function isTrouble(outcome: Outcome): boolean {
  if (outcome.kind === 'unreachable') return true
  if (outcome.kind !== 'refused') return false
  return outcome.status >= 500 || outcome.status === 429 || outcome.status === 408
}

/** In the order of their subscriptions; none for those where nothing changes: most batches have none at all. */
export function changesOf(results: readonly Tried[]): Change[] {
  const changes = new Map<string, Change>()
  for (const { delivery, outcome } of results) {
    const trouble = isTrouble(outcome)
    const success = outcome.kind === 'accepted' && delivery.ramped
    if (!trouble && !success) continue
    const { subscription } = delivery
    const before = changes.get(subscription)
    changes.set(subscription, {
      subscription,
      failed: trouble || before?.failed === true,
      succeeded: (before?.succeeded ?? 0) + (success ? 1 : 0),
    })
  }
  return [...changes.values()]
}

const change = `
  WITH result AS (
    SELECT * FROM unnest($1::uuid[], $2::bool[], $3::int[]) AS r (subscription, failed, succeeded)),
  changed AS (
    SELECT l.subscription, r.failed, r.succeeded FROM lane l JOIN result r USING (subscription)
    WHERE CASE WHEN r.failed THEN l.ramp IS DISTINCT FROM 1 ELSE l.ramp IS NOT NULL END
    ORDER BY l.subscription FOR NO KEY UPDATE OF l) -- in order: two batches with the same lanes must not cross
  UPDATE lane l SET ramp = CASE WHEN c.failed THEN 1
                                WHEN l.ramp + c.succeeded < coalesce(l.cap, $4) THEN l.ramp + c.succeeded END
  FROM changed c WHERE l.subscription = c.subscription`

/** Before the results are recorded: until then requests that failed count, so that a target that failed gets no more. */
export async function adjustRamps(sql: Sql, results: readonly Tried[], cap: number): Promise<void> {
  const changes = changesOf(results)
  if (changes.length === 0) return
  await sql.query(change, [
    changes.map(({ subscription }) => subscription),
    changes.map(({ failed }) => failed),
    changes.map(({ succeeded }) => succeeded),
    cap,
  ])
}
