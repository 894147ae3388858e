/** Puts the parts of accepting together: the spool, the receiver, and the loop that takes in what was spooled. */
import { join } from 'node:path'
import {
  createBell,
  type Database,
  type Health,
  type Lifetime,
  type Log,
  type Metrics,
  workLoop,
} from '@pacifica/platform'
import type { Bells } from '../bells.ts'
import { ACCEPT, ACCEPT_BUSY, type NotificationsConfig, TAKE_IN } from '../config.ts'
import type { Availability } from '../database/availability.ts'
import { newId } from '../database/new-id.ts'
import type { Matcher } from '../match/match.ts'
import type { RecentEvents } from '../recent-events.ts'
import { type Accepted, type EventStore, eventStore } from './event-store.ts'
import { type AcceptMetrics, acceptMetrics, spoolMetrics } from './metrics.ts'
import { type Receiver, receiver } from './receive.ts'
import { openSpool } from './spool/spool.ts'
import { takeInStep } from './spool/take-in.ts'

export interface AcceptingNeeds {
  readonly life: Lifetime
  readonly log: Log
  readonly health: Health
  readonly metrics: Metrics
  readonly database: Database
  readonly availability: Availability
  readonly bells: Bells
  readonly events: Pick<RecentEvents, 'add'>
  /** In a process that matches. */
  readonly matcher?: Pick<Matcher, 'takesSoon' | 'take' | 'inHand'> | undefined
}

export function openAccepting(
  needs: AcceptingNeeds,
  config: NotificationsConfig,
): { receiver: Receiver; acceptMetrics: AcceptMetrics } {
  const { life, log, health, metrics, availability } = needs
  const folder = join(config.dataDir, 'notifications', 'spool')
  const spool = openSpool({ log }, { folder, maxBytes: config.spoolMax, group: ACCEPT })
  life.onClose('spool', () => spool.close())
  health.add('spool', () => (availability.away ? spool.trouble() : undefined))
  const counts = acceptMetrics(metrics)
  spoolMetrics(metrics, () => spool.waiting)

  const stored = eventStore({ sql: needs.database })
  const store = readsEvents(config) ? remembering(stored, needs.events) : stored
  const parts = { store, spool, availability, matchBell: needs.bells.match, log }
  const bell = createBell()
  availability.onBack(() => bell.ring())
  const step = takeInStep({ ...parts, metrics: counts }, TAKE_IN)
  const { idleMs } = TAKE_IN
  const loop = workLoop(step, { name: 'take-in', signal: life.stopping, bell, idleMs, log })
  life.onClose('take-in loop', () => loop)

  const accepting = receiver(
    { ...parts, store: handingOn({ ...needs, store }, config) },
    { ...ACCEPT, waitMs: () => waitBeside(needs.matcher?.inHand ?? 0) },
  )
  life.onClose('accepting', () => accepting.close())
  return { receiver: accepting, acceptMetrics: counts }
}

/** How long events wait for company, in milliseconds, while so many are in hand. */
export function waitBeside(inHand: number): number {
  return inHand < ACCEPT_BUSY.inHand ? ACCEPT.waitMs : ACCEPT_BUSY.waitMs
}

/** Else nobody in this process would look at what is kept, and keeping costs more than reading a text. */
function readsEvents({ roles }: Pick<NotificationsConfig, 'roles'>): boolean {
  return roles.includes('match') || roles.includes('deliver')
}

/** What has just been stored is matched next. */
function remembering(store: EventStore, recent: Pick<RecentEvents, 'add'>): EventStore {
  return {
    ...store,
    async insert(events, ...others) {
      const accepted = await store.insert(events, ...others)
      accepted.forEach(({ uuid, repeated }, place) => {
        const event = events[place]
        if (!repeated && event !== undefined) recent.add(uuid, event)
      })
      return accepted
    },
  }
}

/**
 * Of new events this process takes as many as it has room for: they are stored as claimed, and need not be looked for
 * and changed once more. The bell is for all others.
 */
function handingOn(
  needs: Pick<AcceptingNeeds, 'matcher' | 'bells' | 'log'> & { readonly store: EventStore },
  { matchLeaseMs }: Pick<NotificationsConfig, 'matchLeaseMs'>,
): EventStore {
  const { store, matcher, bells, log } = needs
  return {
    ...store,
    async insert(events, uuids = events.map(newId), traces = []) {
      const taker = (await matcher?.takesSoon()) ? matcher : undefined
      const accepted = await store.insert(events, uuids, traces, taker ? matchLeaseMs : 0)
      if (taker === undefined) {
        bells.match.ring()
        return accepted
      }
      const stored = events.flatMap((event, place) => {
        const { uuid, repeated } = accepted[place] as Accepted
        const { text: jsondata, digest } = event
        const trace = traces[place] ?? null
        return repeated ? [] : [{ uuid, jsondata, digest, trace, claim: 1, begun: 1 }]
      })
      taker.take(stored).catch((err) => log.error({ err }, 'events.not_taken'))
      return accepted
    },
  }
}
