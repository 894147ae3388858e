/** Room for deliveries that are claimed as they are stored, and sent by this process. */
import type { Slots, Sql } from '@pacifica/platform'
import { DEFAULT_CAPS } from './caps.ts'
import type { ClaimedDelivery, ClaimOptions } from './claim.ts'
import type { ClaimTurns } from './claim-turns.ts'
import { inFlight } from './in-flight.ts'
import type { Deliverer } from './worker.ts'

/** What may be claimed now. */
export type Room = Required<ClaimOptions>

/** In a process that only matches, and for who has no slots free. */
export const NO_ROOM: Room = {
  ...{ limit: 0, leaseMs: 0, policyTtlMs: 0, dispatching: false, own: inFlight().own },
  caps: DEFAULT_CAPS,
}

interface Claimed {
  readonly claimed: readonly ClaimedDelivery[]
  readonly late: boolean
}

export interface AtOnce {
  /**
   * Waits its turn, and takes so many slots, or as many as there are then: who wants many must not hold up all others.
   * Answers how many were taken: none after a while.
   */
  takeSlots(count: number): Promise<number>
  /**
   * `claim` says what it has claimed for slots that were taken: that is sent, each delivery in a slot, and the slots that
   * are left over are given back. When it fails they are still taken.
   */
  send<T extends Claimed>(slots: number, claim: (room: Room, sql: Sql) => Promise<T>): Promise<T>
  giveBack(slots: number): void
}

/** How long an event waits for a slot before what it matches is stored for the loop that claims deliveries. */
const PATIENCE_MS = 5_000

export interface AtOnceNeeds {
  readonly slots: Slots
  readonly delivering: Deliverer
  /** With this process' other claims. */
  readonly inTurn: ClaimTurns
  readonly now: () => number
  /** Then nothing more is begun. */
  readonly stopping: AbortSignal
}

/** A quarter of the slots, one at least, is left to what is due already. */
export function atOnce(
  { slots, delivering, inTurn, now, stopping }: AtOnceNeeds,
  options: (limit: number) => Required<ClaimOptions>,
): AtOnce {
  const leave = Math.ceil(slots.size / 4)
  /** After one has waited in vain others do not wait: the targets are slow. */
  let hurriesUntil = 0
  return {
    async takeSlots(wanted) {
      if (wanted === 0 || stopping.aborted) return 0
      const withinMs = now() < hurriesUntil ? 0 : PATIENCE_MS
      if (!(await slots.takeInTurn(1, { leave, withinMs }))) {
        if (withinMs > 0) hurriesUntil = now() + PATIENCE_MS
        return 0
      }
      if (!stopping.aborted)
        return 1 + slots.take(Math.max(0, Math.min(wanted - 1, slots.available - leave)))
      slots.giveBack(1)
      return 0
    },
    async send(taken, claim) {
      let claimedAt = 0
      const told = await inTurn((sql, begunAt) => {
        claimedAt = begunAt
        return claim(options(taken), sql)
      })
      slots.giveBack(taken - told.claimed.length)
      delivering.start(told.claimed, claimedAt)
      return told
    },
    giveBack: slots.giveBack,
  }
}
