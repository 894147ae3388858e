/**
 * Sending deliveries anew. A settled delivery begins again: its schedule and its count of attempts from the start, its
 * `replay` one higher (a receiver sees a new webhook-id), its attempts kept. One that is retrying is only made due.
 * Whether its subscription is enabled and what Policy says now is decided when it is claimed (deliver/claim.ts).
 */
import { setImmediate } from 'node:timers/promises'
import { Event } from '@pacifica/core'
import type { Dialect } from '@pacifica/jsonpath'
import type { Sql } from '@pacifica/platform'
import type { DeliveryState } from '../deliver/delivery.ts'
import { compileSubscription, type Version } from '../subscriptions/subscription.ts'

/** What may be asked for; the first three are what was settled without a success. */
export const REPLAYABLE = [
  'exhausted',
  'failed',
  'denied',
  'delivered',
  'retrying',
] as const satisfies readonly DeliveryState[]
export type Replayable = (typeof REPLAYABLE)[number]

export interface Candidate {
  readonly uuid: string
  readonly state: DeliveryState
  /** The subscription's expression and the event, where the delivery failed before it was known to match. */
  readonly unmatched: {
    readonly jsonpath: string
    readonly dialect: Dialect
    readonly version: Version
    readonly jsondata: string
  } | null
}

/**
 * Columns of a Candidate, from delivery d, eventmatch m, eventlog e. A failed delivery that nobody ever claimed failed
 * when it was matched: its expression could not be evaluated.
 */
export const CANDIDATE = `
  d.uuid, d.state, CASE WHEN d.state = 'failed' AND d.claim = 0 THEN
    json_build_object('jsonpath', m.jsonpath, 'dialect', m.dialect, 'version', m.version, 'jsondata', e.jsondata)
  END AS unmatched`

export interface Skipped {
  readonly delivery: string
  /** Null when it cannot be said. */
  readonly state: DeliveryState | null
  readonly reason: string
}

/** Sorts out what must not be sent: its subscription's expression does not match the event, or still fails. */
export async function sortOut(
  candidates: readonly Candidate[],
): Promise<{ wanted: string[]; skipped: Skipped[] }> {
  const wanted: string[] = []
  const skipped: Skipped[] = []
  for (const candidate of candidates) {
    const reason = await unwanted(candidate)
    if (reason === undefined) wanted.push(candidate.uuid)
    else skipped.push({ delivery: candidate.uuid, state: candidate.state, reason })
  }
  return { wanted, skipped }
}

async function unwanted({ unmatched }: Candidate): Promise<string | undefined> {
  if (unmatched === null) return undefined
  await setImmediate() // an expression may use up its whole budget: others must get their turn
  try {
    const expression = compileSubscription(unmatched.jsonpath, unmatched.dialect)
    const event = Event.parse(unmatched.jsondata)
    const matches = expression.test(event.project(unmatched.version))
    return matches ? undefined : 'the expression, as it is now, does not match this event'
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return `the expression still cannot be evaluated: ${why}`
  }
}

// Deliveries before answers: the order in which a claim locks them too. A no is asked for again.
const replay = `
  WITH chosen AS (
    SELECT d.uuid, d.state FROM delivery d
    WHERE d.uuid = ANY($1::uuid[]) AND d.state IN (${REPLAYABLE.map((state) => `'${state}'`).join(', ')})
    ORDER BY d.uuid FOR UPDATE),
  replayed AS (
    UPDATE delivery d SET
      state = CASE WHEN c.state = 'retrying' THEN 'retrying' ELSE 'pending' END,
      replay = CASE WHEN c.state = 'retrying' THEN d.replay ELSE d.replay + 1 END,
      attempt = CASE WHEN c.state = 'retrying' THEN d.attempt ELSE 0 END,
      reason = CASE WHEN c.state = 'retrying' THEN d.reason END,
      settled = NULL, due = now()
    FROM chosen c WHERE d.uuid = c.uuid
    RETURNING d.uuid, d.event, d.owner),
  asked AS (
    UPDATE policy_answer p SET state = 'asking', due = now(), asked = 0
    FROM (SELECT DISTINCT event, owner FROM replayed) r
    WHERE p.event = r.event AND p.owner = r.owner AND p.state = 'denied')
  SELECT uuid FROM replayed`

/** Answers the ids of those that begin anew: what changed its state meanwhile is left alone. */
export async function replayDeliveries(
  sql: Sql,
  deliveries: readonly string[],
): Promise<Set<string>> {
  if (deliveries.length === 0) return new Set()
  const rows = await sql.query<{ uuid: string }>(replay, [deliveries])
  return new Set(rows.map((row) => row.uuid))
}
