/**
 * How a process makes its claims. They take turns with those of other processes (ADR 7). As a rule a claim is one statement,
 * which counts what is in flight and then sees whether anybody has claimed since it began to: then it is late, and takes
 * nothing. Where that has happened, claims are made for a while in a transaction that takes the turn first and counts after
 * it: three more round trips, and none of them is late. Of one process' own claims one is made at a time.
 */
import { type Database, oneAtATime, type Sql } from '@pacifica/platform'
import type { ClaimedDelivery } from './claim.ts'
import type { InFlight } from './in-flight.ts'

interface Told {
  /** Another process' claim came in between. */
  readonly late: boolean
  readonly claimed: readonly ClaimedDelivery[]
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
  /** Told before the next claim is made. */
  readonly inFlight: Pick<InFlight, 'begin'>
}): ClaimTurns {
  const { database, now, inFlight } = needs
  const oneByOne = oneAtATime()
  let turnFirstUntil = Number.NEGATIVE_INFINITY
  const make = async <T extends Told>(claim: (sql: Sql, begunAt: number) => Promise<T>) => {
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
  }
  return (claim) =>
    oneByOne(async () => {
      const told = await make(claim)
      inFlight.begin(told.claimed)
      return told
    })
}
