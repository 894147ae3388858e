/**
 * What a process has in flight itself. The requests of others it counts from their leases in the database; its own it knows
 * better: one that was answered well makes room at once, and not only when that has been stored.
 */
import { randomUUID } from 'node:crypto'
import type { ClaimedDelivery } from './claim.ts'

/** For a claim: whose leases it makes, and what that process has in flight. JSON objects of numbers. */
export interface Own {
  /** A process' leases carry it; each start has a new one. */
  readonly holder: string
  /** By subscription, */
  readonly lanes: string
  /** by the host of the subscription's lane, */
  readonly hosts: string
  /** and by the user whose subscription it is. */
  readonly owners: string
}

export type Request = Pick<ClaimedDelivery, 'subscription' | 'host' | 'owner'>

export interface InFlight {
  /** As it is now. */
  readonly own: Own
  begin(requests: readonly Request[]): void
  /**
   * It was answered well, which is not stored yet: that makes room, as long as few of its lane wait to be stored. Answers
   * whether it has made room.
   */
  answered(request: Request): boolean
  /** Once for each that was begun. `madeRoom`: as `answered` has said. */
  stored(request: Request, madeRoom: boolean): void
}

/** Of one subscription: what is not stored when a process is killed is sent again. */
const MOST_UNSTORED = 16

interface Lane {
  host: string
  readonly owner: string
  /** Requests that take up room. */
  n: number
  /** Requests that have made room, and are not stored yet. */
  unstored: number
}

export function inFlight(): InFlight {
  const holder = randomUUID()
  const lanes = new Map<string, Lane>()

  function change({ subscription }: Request, n: 0 | -1, unstored: 0 | 1 | -1): void {
    const lane = lanes.get(subscription)
    if (lane === undefined) return
    lane.n += n
    lane.unstored += unstored
    if (lane.n + lane.unstored === 0) lanes.delete(subscription)
  }

  return {
    get own() {
      const [hosts, owners] = [new Map<string, number>(), new Map<string, number>()]
      let [text, comma] = ['{', '']
      for (const [subscription, { host, owner, n }] of lanes) {
        if (n === 0) continue
        text += `${comma}"${subscription}":${n}`
        comma = ','
        hosts.set(host, (hosts.get(host) ?? 0) + n)
        owners.set(owner, (owners.get(owner) ?? 0) + n)
      }
      return { holder, lanes: `${text}}`, hosts: textOf(hosts), owners: textOf(owners) }
    },
    begin(requests) {
      // All of a lane count for the host that it has now, as those of others do.
      for (const { subscription, host, owner } of requests) {
        const lane = lanes.get(subscription) ?? { host, owner, n: 0, unstored: 0 }
        lane.host = host
        lane.n += 1
        lanes.set(subscription, lane)
      }
    },
    answered(request) {
      if ((lanes.get(request.subscription)?.unstored ?? 0) >= MOST_UNSTORED) return false
      change(request, -1, 1)
      return true
    },
    stored(request, madeRoom) {
      if (madeRoom) change(request, 0, -1)
      else change(request, -1, 0)
    },
  }
}

const textOf = (counts: ReadonlyMap<string, number>) => JSON.stringify(Object.fromEntries(counts))
