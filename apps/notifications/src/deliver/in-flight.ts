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
  /** Once for each that was begun. */
  end(request: Request): void
}

interface Lane {
  readonly host: string
  readonly owner: string
  /** More than none. */
  n: number
}

export function inFlight(): InFlight {
  const holder = randomUUID()
  const lanes = new Map<string, Lane>()
  return {
    get own() {
      const [hosts, owners] = [new Map<string, number>(), new Map<string, number>()]
      let [text, comma] = ['{', '']
      for (const [subscription, { host, owner, n }] of lanes) {
        text += `${comma}"${subscription}":${n}`
        comma = ','
        hosts.set(host, (hosts.get(host) ?? 0) + n)
        owners.set(owner, (owners.get(owner) ?? 0) + n)
      }
      return { holder, lanes: `${text}}`, hosts: textOf(hosts), owners: textOf(owners) }
    },
    begin(requests) {
      for (const { subscription, host, owner } of requests) {
        const lane = lanes.get(subscription)
        if (lane === undefined) lanes.set(subscription, { host, owner, n: 1 })
        else lane.n += 1
      }
    },
    end({ subscription }) {
      const lane = lanes.get(subscription)
      if (lane === undefined) return
      lane.n -= 1
      if (lane.n === 0) lanes.delete(subscription)
    },
  }
}

const textOf = (counts: ReadonlyMap<string, number>) => JSON.stringify(Object.fromEntries(counts))
