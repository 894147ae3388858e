/**
 * Which deliveries a worker takes in hand. One statement (claim-statement.ts) decides for each due delivery what happens
 * next: it is claimed (a lease, and a fencing token that its result must carry), or set aside because its subscription
 * is disabled or deleted, or because policy said no or has to be asked again.
 */
import type { Sql } from '@pacifica/platform'
import { type Caps, DEFAULT_CAPS } from './caps.ts'
import { CLAIM } from './claim-statement.ts'
import { inFlight, type Own } from './in-flight.ts'
import { followAll, followDeliveries } from './lanes.ts'

export interface ClaimedDelivery {
  readonly uuid: string
  readonly event: string
  readonly subscription: string
  readonly owner: string
  /** The fencing token. */
  readonly claim: number
  readonly attempt: number
  readonly replay: number
  readonly targetUrl: string
  /** Of its lane: what is in flight there counts under the host's cap. */
  readonly host: string
  readonly version: 'v0.1' | 'v1.0'
  /** JSON object text. */
  readonly extensions: string
  /** JSON object text, its secrets sealed. */
  readonly auth: string
  /** The secrets that sign it, sealed, the current one first; none: it goes unsigned. */
  readonly signing: readonly string[]
  readonly retry: { maxAttempts?: number; delaysMs?: number[] } | null
  readonly jsondata: string
  readonly digest: string
  /** W3C trace context: of the event when it is claimed, of the attempt when it is sent. */
  readonly trace?: string | null
  /** How long it had been due when it was claimed, in milliseconds. */
  readonly lateMs: number
  /** Its target has failed lately: a success lets more requests go there. */
  readonly ramped: boolean
}

/** What one look at the due deliveries came to. */
export interface Look {
  readonly claimed: readonly ClaimedDelivery[]
  /** The states of those that were not claimed but set aside. */
  readonly aside: readonly ('pending' | 'held' | 'denied' | 'cancelled')[]
  /** Subscriptions whose lanes must be followed now: they were put to sleep, or a lease of theirs has ended. */
  readonly follow: readonly string[]
  /** Another claim was faster, and what is in flight must be counted anew: look again at once. */
  readonly late: boolean
  /** Something is due, and nothing of it may be sent now: caps, or somebody holds its rows. */
  readonly blocked: boolean
}

export interface ClaimOptions {
  readonly limit: number
  /** Outlives the request timeout: a live worker's lease never runs out under it. */
  readonly leaseMs: number
  /** A yes of policy that is older is asked for again before anything is sent. */
  readonly policyTtlMs: number
  readonly caps?: Caps
  /** False while there is no connection to the broker: then dispatches are left where they are. Default true. */
  readonly dispatching?: boolean
  /** Who claims, and what it has in flight. Default: nobody who has claimed before. */
  readonly own?: Own
}

type Told =
  | ({ readonly kind: 'delivery'; readonly state: 'delivering' } & ClaimedDelivery)
  | { readonly kind: 'delivery'; readonly state: Look['aside'][number] }
  | { readonly kind: 'asleep' | 'expired'; readonly subscription: string }
  | { readonly kind: 'late' | 'blocked' }

/** Whoever claims calls `followDeliveries` with what is to be followed, soon, but not before it has sent. */
export async function lookAtDue(sql: Sql, options: ClaimOptions): Promise<Look> {
  const {
    limit,
    leaseMs,
    policyTtlMs,
    caps = DEFAULT_CAPS,
    dispatching = true,
    own = inFlight().own,
  } = options
  const { subscription, host, owner } = caps
  const values: unknown[] = [limit, leaseMs, policyTtlMs, subscription, host, owner, dispatching]
  values.push(own.holder, own.lanes, own.hosts, own.owners)
  const told = await sql.query<Told>(CLAIM, values, 'prepared')
  const claimed: ClaimedDelivery[] = []
  const aside: Look['aside'][number][] = []
  const follow: string[] = []
  for (const row of told) {
    if (row.kind === 'asleep' || row.kind === 'expired') follow.push(row.subscription)
    else if (row.kind === 'delivery' && row.state === 'delivering') claimed.push(row)
    else if (row.kind === 'delivery') aside.push(row.state)
  }
  const went = (kind: Told['kind']) => told.some((row) => row.kind === kind)
  return { claimed, aside, follow, late: went('late'), blocked: went('blocked') }
}

/** What is due and may be claimed, for those who do not ask what was set aside and have told no lane. */
export async function claimDeliveries(
  sql: Sql,
  options: ClaimOptions,
): Promise<readonly ClaimedDelivery[]> {
  await followAll(sql)
  for (;;) {
    const { claimed, follow, late } = await lookAtDue(sql, options)
    await followDeliveries(sql, follow)
    if (!late) return claimed
  }
}
