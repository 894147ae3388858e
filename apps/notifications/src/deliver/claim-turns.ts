/**
 * How a process makes its claims. They take turns with those of other processes (ADR 7). As a rule a claim is one statement,
 * which counts what is in flight and then sees whether anybody has claimed since it began to: then it is late, and takes
 * nothing. Where that has happened, claims are made for a while in a transaction that takes the turn first and counts after
 * it: three more round trips, and none of them is late. Of one process' own claims one is made at a time.
 */
import { type Database, oneAtATime, type Sql } from '@pacifica/platform'

interface Told {
  /** Another process' claim came in between. */
  readonly late: boolean
}

/** Makes a claim with the `sql` that it is given. `begunAt`, on the clock `now`: its leases count from then, or later. */
export type ClaimTurns = <T extends Told>(
  claim: (sql: Sql, begunAt: number) => Promise<T>,
) => Promise<T>

const TURN_FIRST_MS = 10_000

// All others wait for who has it. PostgreSQL ends the session of one that has it and falls silent, be it frozen or cut off.
const TAKE_TURN = `SELECT set_config('idle_in_transaction_session_timeout', '5s', true) FROM claim_turn FOR UPDATE`

export function claimTurns(needs: {
  readonly database: Database
  /** Milliseconds on a clock that never goes back. */
  readonly now: () => number
}): ClaimTurns {
  const { database, now } = needs
  const oneByOne = oneAtATime()
  let turnFirstUntil = Number.NEGATIVE_INFINITY
  return (claim) =>
    oneByOne(async () => {
      const begunAt = now()
      if (begunAt < turnFirstUntil) {
        return database.transaction(async (sql) => {
          // The claim's statement is prepared while the turn is waited for, and runs behind it.
          const [, told] = await Promise.all([sql.query(TAKE_TURN), claim(sql, begunAt)])
          return told
        })
      }
      const told = await claim(database, begunAt)
      if (told.late) turnFirstUntil = now() + TURN_FIRST_MS
      return told
    })
}
