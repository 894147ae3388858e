/**
 * The rows of matching: which events this worker claims, and what a matched event leaves behind.
 */
import type { Sql } from '@pacifica/platform'
import { HELD_FIRST, PARKED_AGAIN } from '../deliver/due.ts'
import { followDeliveries } from '../deliver/lanes.ts'
import type { Evaluation, Match } from './live-subscriptions.ts'
import type { Streak } from './streaks.ts'

export interface ClaimedEvent {
  readonly uuid: string
  readonly jsondata: string
  /** The fencing token: what this claim records counts only while the row still carries it. */
  readonly claim: number
  /** How often matching was begun, this time included. */
  readonly begun: number
}

export interface MatchedEvent extends Evaluation {
  readonly event: ClaimedEvent
  /** Why the event itself could not be read; null: it could. */
  readonly unreadable: string | null
}

export interface MatchStore {
  claimTogether(limit: number): Promise<ClaimedEvent[]>
  claimAlone(): Promise<ClaimedEvent[]>
  /** Marks the events that were begun alone too often; answers their ids. */
  giveUp(): Promise<string[]>
  /** What was claimed and not begun: others may have it at once, and it does not count as a beginning. */
  handBack(events: readonly ClaimedEvent[]): Promise<void>
  /** Stores deliveries and questions to policy; answers the events that were still ours, with their age in ms. */
  record(matched: readonly MatchedEvent[]): Promise<Map<string, number>>
  /** Answers how often in a row the subscription's expression has failed by now. */
  countFailures(streak: Streak): Promise<number>
}

/** After so many beginnings without an end an event is matched alone, so that it cannot take others along. */
const TOGETHER = 3
/** And after so many more, alone, it is put aside as unmatchable. */
const ALONE = 5

const claim = (which: string) => `
  UPDATE eventlog SET match_claim = match_claim + 1, match_begun = match_begun + 1, match_due = now() + $2 * interval '1 millisecond'
  WHERE uuid IN (
    SELECT uuid FROM eventlog WHERE state = 'new' AND match_due <= now() AND ${which}
    ORDER BY match_due LIMIT $1 FOR UPDATE SKIP LOCKED)
  RETURNING uuid, jsondata, match_claim AS claim, match_begun AS begun`

const claimTogether = claim(`match_begun < ${TOGETHER}`)
const claimAlone = claim(`match_begun >= ${TOGETHER} AND match_begun < ${TOGETHER + ALONE}`)

const giveUp = `
  UPDATE eventlog SET state = 'unmatchable', match_due = NULL,
    reason = 'matching was begun ' || match_begun || ' times without an end'
  WHERE state = 'new' AND match_due <= now() AND match_begun >= ${TOGETHER + ALONE}
  RETURNING uuid`

const handBack = `
  UPDATE eventlog e SET match_due = now(), match_begun = match_begun - 1
  FROM unnest($1::uuid[], $2::bigint[]) AS d (uuid, claim)
  WHERE e.uuid = d.uuid AND e.match_claim = d.claim AND e.state = 'new'`

// Of an event that is matched again Policy may have answered before: nobody will release what comes to it now.
const ANSWERED = `EXISTS (
  SELECT FROM policy_answer p WHERE p.event = w.event AND p.owner = w.owner AND p.state <> 'asking')`

// One statement is one transaction: the event is matched exactly when its deliveries exist.
const record = `
  WITH done AS (
    UPDATE eventlog e SET state = CASE WHEN d.unreadable IS NULL THEN 'matched' ELSE 'unmatchable' END,
      reason = d.unreadable, matched = now(), match_count = d.count, match_due = NULL
    FROM unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[]) AS d (uuid, claim, count, unreadable)
    WHERE e.uuid = d.uuid AND e.match_claim = d.claim AND e.state = 'new'
    RETURNING e.uuid, e.created),
  wanted AS (
    SELECT w.*, done.created AS received FROM unnest($5::uuid[], $6::uuid[], $7::text[], $8::text[], $9::text[])
      AS w (event, subscription, owner, state, reason)
    JOIN done ON done.uuid = w.event),
  asked AS (
    INSERT INTO policy_answer (event, owner)
    SELECT DISTINCT event, owner FROM wanted WHERE state = 'pending' ORDER BY event, owner ON CONFLICT DO NOTHING),
  delivered AS (
    INSERT INTO delivery (event, subscription, owner, state, reason, due, settled, received)
    SELECT event, subscription, owner, state, reason,
      CASE state WHEN 'pending' THEN now() + CASE WHEN ${ANSWERED} THEN interval '0' ELSE ${PARKED_AGAIN} END
                 WHEN 'held' THEN now() + ${HELD_FIRST} END,
      CASE WHEN state = 'failed' THEN now() END, received
    FROM wanted w ON CONFLICT (event, subscription) DO NOTHING
    RETURNING subscription, due)
  SELECT uuid, extract(epoch FROM now() - created)::float8 * 1000 AS age,
    array(SELECT subscription FROM delivered WHERE due <= now()) AS released
  FROM done`

const countFailures = `
  UPDATE eventmatch SET expression_failures = CASE WHEN $3 THEN $2 ELSE expression_failures + $2 END
  WHERE uuid = $1 AND disabled IS NULL
  RETURNING expression_failures AS failures`

interface RecordedRow {
  readonly uuid: string
  readonly age: number
  /** Subscriptions with deliveries that are due at once; the same in each row. */
  readonly released: readonly string[]
}

/** @param needs.leaseMs a batch takes far less: whoever needs longer has died or is stuck */
export function matchStore(needs: { sql: Sql; leaseMs?: number }): MatchStore {
  const { sql, leaseMs = 60_000 } = needs
  return {
    claimTogether: (limit) => sql.query<ClaimedEvent>(claimTogether, [limit, leaseMs], 'prepared'),
    claimAlone: () => sql.query<ClaimedEvent>(claimAlone, [1, leaseMs], 'prepared'),
    giveUp: async () => (await sql.query<{ uuid: string }>(giveUp)).map((row) => row.uuid),
    async handBack(events) {
      const claims = [events.map((event) => event.uuid), events.map((event) => event.claim)]
      await sql.query(handBack, claims)
    },
    async record(matched) {
      const ours = await sql.query<RecordedRow>(record, columns(matched), 'prepared')
      await followDeliveries(sql, ours[0]?.released ?? [])
      return new Map(ours.map((row) => [row.uuid, row.age]))
    },
    async countFailures({ subscription, run, recovered }) {
      const [row] = await sql.query<{ failures: number }>(countFailures, [
        subscription,
        run,
        recovered,
      ])
      return row?.failures ?? 0
    },
  }
}

function columns(matched: readonly MatchedEvent[]): unknown[][] {
  const rows = matched.flatMap(({ event, matches }) =>
    matches.map((match) => ({ event: event.uuid, ...match, ...firstState(match) })),
  )
  return [
    matched.map(({ event }) => event.uuid),
    matched.map(({ event }) => event.claim),
    matched.map(({ matches }) => matches.filter(({ failure }) => failure === undefined).length),
    matched.map(({ unreadable }) => unreadable),
    rows.map((row) => row.event),
    rows.map((row) => row.subscription),
    rows.map((row) => row.owner),
    rows.map((row) => row.state),
    rows.map((row) => row.reason),
  ]
}

/** A disabled subscription's deliveries wait for it; one that cannot be evaluated has failed and says why. */
function firstState(match: Match): { state: 'pending' | 'held' | 'failed'; reason: string | null } {
  if (match.failure !== undefined) return { state: 'failed', reason: match.failure }
  if (match.disabled) return { state: 'held', reason: 'the subscription is disabled' }
  return { state: 'pending', reason: null }
}
