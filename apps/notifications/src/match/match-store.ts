/**
 * The rows of matching: which events this worker claims, and what it stores of them.
 */
import type { Sql } from '@pacifica/platform'
import type { Room } from '../deliver/at-once.ts'
import { type MatchedEvent, type Recorded, recordMatches } from './record-matches.ts'
import type { Streak } from './streaks.ts'

export interface ClaimedEvent {
  readonly uuid: string
  readonly jsondata: string
  readonly digest: string
  /** W3C trace context of the request that brought it. */
  readonly trace: string | null
  /** The fencing token: what this claim records counts only while the row still carries it. */
  readonly claim: number
  /** How often matching was begun, this time included. */
  readonly begun: number
}

export interface MatchStore {
  claimTogether(limit: number): Promise<ClaimedEvent[]>
  claimAlone(): Promise<ClaimedEvent[]>
  /** Marks the events that were begun alone too often; answers their ids. */
  giveUp(): Promise<string[]>
  /** What was claimed and not begun: others may have it at once, and it does not count as a beginning. */
  handBack(events: readonly ClaimedEvent[]): Promise<void>
  /**
   * Stores deliveries and questions to policy of those events that are still ours.
   * @param within default: a statement of its own
   */
  record(matched: readonly MatchedEvent[], room?: Room, within?: Sql): Promise<Recorded>
  /** Answers how often in a row the subscription's expression has failed by now. */
  countFailures(streak: Streak): Promise<number>
}

/** After so many beginnings without an end an event is matched alone, so that it cannot take others along. */
const TOGETHER = 3
/** And after so many more, alone, it is put aside as unmatchable. */
const ALONE = 5

// A state without its event (somebody has truncated the one table and not the other) is claimed too, and given up at last.
const claim = (which: string) => `
  WITH claimed AS (
    UPDATE event_state SET claim = claim + 1, begun = begun + 1, due = now() + $2 * interval '1 millisecond'
    WHERE event IN (
      SELECT event FROM event_state WHERE state = 'new' AND due <= now() AND ${which}
      ORDER BY due LIMIT $1 FOR UPDATE SKIP LOCKED)
    RETURNING event, claim, begun)
  SELECT e.uuid, e.jsondata, e.digest, e.trace, c.claim, c.begun FROM claimed c JOIN eventlog e ON e.uuid = c.event`

const claimTogether = claim(`begun < ${TOGETHER}`)
const claimAlone = claim(`begun >= ${TOGETHER} AND begun < ${TOGETHER + ALONE}`)

const giveUp = `
  UPDATE event_state SET state = 'unmatchable', due = NULL,
    reason = 'matching was begun ' || begun || ' times without an end'
  WHERE state = 'new' AND due <= now() AND begun >= ${TOGETHER + ALONE}
  RETURNING event AS uuid`

const handBack = `
  UPDATE event_state s SET due = now(), begun = begun - 1
  FROM unnest($1::uuid[], $2::bigint[]) AS d (uuid, claim)
  WHERE s.event = d.uuid AND s.claim = d.claim AND s.state = 'new'`

const countFailures = `
  UPDATE eventmatch SET expression_failures = CASE WHEN $3 THEN $2 ELSE expression_failures + $2 END
  WHERE uuid = $1 AND disabled IS NULL
  RETURNING expression_failures AS failures`

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
    record: (matched, room, within = sql) => recordMatches(within, matched, room),
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
