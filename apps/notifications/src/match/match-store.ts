/**
 * The rows of matching: which events this worker claims, and what a matched event leaves behind.
 */
import type { Sql } from '@pacifica/platform'
import type { Match } from './live-subscriptions.ts'

export interface ClaimedEvent {
  readonly uuid: string
  readonly jsondata: string
  /** The fencing token: what this claim records counts only while the row still carries it. */
  readonly claim: number
  /** How often matching was begun, this time included. */
  readonly begun: number
}

export interface MatchedEvent {
  readonly event: ClaimedEvent
  readonly matches: readonly Match[]
}

export interface MatchStore {
  claimTogether(limit: number): Promise<ClaimedEvent[]>
  claimAlone(): Promise<ClaimedEvent[]>
  /** Marks the events that were begun alone too often; answers their ids. */
  giveUp(): Promise<string[]>
  /** Stores deliveries and questions to policy; answers the events that were still ours. */
  record(matched: readonly MatchedEvent[]): Promise<string[]>
}

/** After so many beginnings without an end an event is matched alone, so that it cannot take others along. */
const TOGETHER = 3
/** And after so many more, alone, it is put aside as unmatchable. */
const ALONE = 5
/** A batch takes far less than this; whoever needs longer has died or is stuck. */
const LEASE = "interval '60 seconds'"

const claim = (which: string) => `
  UPDATE eventlog SET match_claim = match_claim + 1, match_begun = match_begun + 1, match_due = now() + ${LEASE}
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

// One statement is one transaction: the event is matched exactly when its deliveries exist.
const record = `
  WITH done AS (
    UPDATE eventlog e SET state = 'matched', matched = now(), match_count = d.count, match_due = NULL
    FROM unnest($1::uuid[], $2::bigint[], $3::int[]) AS d (uuid, claim, count)
    WHERE e.uuid = d.uuid AND e.match_claim = d.claim AND e.state = 'new'
    RETURNING e.uuid, e.created),
  wanted AS (
    SELECT w.*, done.created AS received FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::text[], $8::text[])
      AS w (event, subscription, owner, state, reason)
    JOIN done ON done.uuid = w.event),
  asked AS (
    INSERT INTO policy_answer (event, owner)
    SELECT DISTINCT event, owner FROM wanted WHERE state = 'pending' ON CONFLICT DO NOTHING),
  delivered AS (
    INSERT INTO delivery (event, subscription, owner, state, reason, settled, received)
    SELECT event, subscription, owner, state, reason, CASE WHEN state = 'failed' THEN now() END, received FROM wanted
    ON CONFLICT (event, subscription) DO NOTHING)
  SELECT uuid FROM done`

export function matchStore(needs: { sql: Sql }): MatchStore {
  const { sql } = needs
  const uuids = (rows: { uuid: string }[]) => rows.map((row) => row.uuid)
  return {
    claimTogether: (limit) => sql.query<ClaimedEvent>(claimTogether, [limit]),
    claimAlone: () => sql.query<ClaimedEvent>(claimAlone, [1]),
    giveUp: async () => uuids(await sql.query<{ uuid: string }>(giveUp)),
    async record(matched) {
      const rows = matched.flatMap(({ event, matches }) =>
        matches.map((match) => ({ event: event.uuid, ...match, ...firstState(match) })),
      )
      return uuids(
        await sql.query<{ uuid: string }>(record, [
          matched.map(({ event }) => event.uuid),
          matched.map(({ event }) => event.claim),
          matched.map(({ matches }) => matches.length),
          rows.map((row) => row.event),
          rows.map((row) => row.subscription),
          rows.map((row) => row.owner),
          rows.map((row) => row.state),
          rows.map((row) => row.reason),
        ]),
      )
    },
  }
}

/** A disabled subscription's deliveries wait for it; one that cannot be evaluated has failed and says why. */
function firstState(match: Match): { state: 'pending' | 'held' | 'failed'; reason: string | null } {
  if (match.failure !== undefined) return { state: 'failed', reason: match.failure }
  return { state: match.disabled ? 'held' : 'pending', reason: null }
}
