/** Why a delivery that is due has not been sent: which cap is reached. For people; claims count for themselves. */
import type { Sql } from '@pacifica/platform'
import type { Caps } from './caps.ts'

/** A lane with what is in flight beside it. */
export interface Crowd {
  readonly subscription: string
  readonly host: string
  readonly owner: string
  /** How many requests it may have in flight: its own cap, or null for the usual one. */
  readonly cap: number | null
  readonly ramp: number | null
  readonly inFlight: number
  readonly hostInFlight: number
  readonly ownerInFlight: number
}

export type Block = 'subscription' | 'slow_start' | 'host' | 'owner'

/** The cap that holds it back; undefined: none, its turn will come. */
export function blockOf(crowd: Crowd, caps: Caps): Block | undefined {
  const most = crowd.cap ?? caps.subscription
  if (crowd.inFlight >= most) return 'subscription'
  if (crowd.ramp !== null && crowd.inFlight >= crowd.ramp) return 'slow_start'
  if (crowd.hostInFlight >= caps.host) return 'host'
  if (crowd.ownerInFlight >= caps.owner) return 'owner'
  return undefined
}

/** @param noDispatch why no dispatch goes out just now */
export function whyWaiting(crowd: Crowd, caps: Caps, noDispatch?: string): string {
  if (noDispatch !== undefined && crowd.host.startsWith('dispatch://')) return noDispatch
  switch (blockOf(crowd, caps)) {
    case 'subscription':
      return `${ofMost(crowd.inFlight, crowd.cap ?? caps.subscription)} requests to its target are in flight`
    case 'slow_start':
      return `its target has failed: ${crowd.ramp} at a time until it answers well, and ${crowd.inFlight} in flight`
    case 'host':
      return `${ofMost(crowd.hostInFlight, caps.host)} requests to ${crowd.host} are in flight`
    case 'owner':
      return `${ofMost(crowd.ownerInFlight, caps.owner)} requests for ${crowd.owner} are in flight`
    case undefined:
      return 'it waits for its turn'
  }
}

/** Leases may be more than the cap: some have been answered, which is not stored yet. */
const ofMost = (leases: number, cap: number) => `${Math.min(leases, cap)} of ${cap}`

/** A statement about lanes l that `which` chooses; the rows are those of Crowd. */
export const crowds = (which: string) => `
  WITH busy AS MATERIALIZED (
    SELECT l.subscription, l.host, l.owner, count(*)::int AS n FROM delivery d JOIN lane l USING (subscription)
    WHERE d.state = 'delivering' AND d.due > now() GROUP BY l.subscription, l.host, l.owner),
  busy_host AS MATERIALIZED (SELECT host, sum(n)::int AS n FROM busy GROUP BY host),
  busy_owner AS MATERIALIZED (SELECT owner, sum(n)::int AS n FROM busy GROUP BY owner)
  SELECT l.subscription, l.host, l.owner, l.cap, l.ramp, coalesce(b.n, 0) AS "inFlight",
    coalesce(h.n, 0) AS "hostInFlight", coalesce(o.n, 0) AS "ownerInFlight"
  FROM (SELECT * FROM lane WHERE ${which}) l LEFT JOIN busy b ON b.subscription = l.subscription
  LEFT JOIN busy_host h ON h.host = l.host LEFT JOIN busy_owner o ON o.owner = l.owner`

const ofSubscriptions = crowds('subscription = ANY($1::uuid[])')

/** For each of these subscriptions that has a lane: why its due deliveries wait. */
export async function waitingReasons(
  sql: Sql,
  subscriptions: readonly string[],
  caps: Caps,
  noDispatch?: string,
): Promise<Map<string, string>> {
  if (subscriptions.length === 0) return new Map()
  const rows = await sql.query<Crowd>(ofSubscriptions, [[...new Set(subscriptions)]])
  return new Map(rows.map((row) => [row.subscription, whyWaiting(row, caps, noDispatch)]))
}
