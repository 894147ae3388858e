/**
 * The second step: new events are claimed, the subscriptions brought up to date, and a delivery stored for each match.
 */
import { setImmediate } from 'node:timers/promises'
import { Event, EventFormatError } from '@pacifica/core'
import { type Bell, insist, type Log } from '@pacifica/platform'
import type { PipelineMetrics } from '../metrics.ts'
import type { RecentEvents } from '../recent-events.ts'
import type { LiveSubscriptions } from './live-subscriptions.ts'
import type { ClaimedEvent, MatchedEvent, MatchStore } from './match-store.ts'
import { MOST_FAILURES, type Streak, streaksOf } from './streaks.ts'

export interface MatchNeeds {
  readonly store: MatchStore
  readonly subscriptions: LiveSubscriptions
  /** Default: each is read from its text. */
  readonly events?: Pick<RecentEvents, 'read'>
  /** Disables a subscription with the reason; false when it is already. */
  readonly disable: (subscription: string, error: string) => Promise<boolean>
  readonly authorizeBell: Pick<Bell, 'ring'>
  readonly metrics: Pick<
    PipelineMetrics,
    'matched' | 'unmatchable' | 'expressionFailed' | 'settled'
  >
  readonly log: Log
  readonly abandoning: AbortSignal
}

export interface MatchOptions {
  readonly batch: number
  /** What of a batch is not matched by then is handed back: its lease must not run out while others wait. */
  readonly batchMs: number
  /** While the database is away recording is tried again, but not for longer than that. */
  readonly leaseMs: number
}

/** One step of the loop: a batch, then one event that was interrupted too often to be trusted in a batch. */
export function matchStep(needs: MatchNeeds, options: MatchOptions): () => Promise<boolean> {
  return async () => {
    const together = await needs.store.claimTogether(options.batch)
    if (together.length > 0) await matchClaimed(needs, options, together)
    const alone = await needs.store.claimAlone()
    if (alone.length > 0) await matchClaimed(needs, options, alone)
    for (const event of await needs.store.giveUp()) {
      needs.metrics.unmatchable()
      needs.log.error({ event }, 'event.unmatchable')
    }
    return together.length + alone.length > 0
  }
}

async function matchClaimed(
  needs: MatchNeeds,
  options: MatchOptions,
  claimed: readonly ClaimedEvent[],
): Promise<void> {
  await needs.subscriptions.refresh() // after the claim: see live-subscriptions
  const matched = await matchInTime(needs, options, claimed)
  const rest = claimed.slice(matched.length)
  if (rest.length > 0) await needs.store.handBack(rest)
  const recorded = await insist(() => needs.store.record(matched), {
    what: `what ${matched.length} events match`,
    signal: needs.abandoning,
    withinMs: options.leaseMs - options.batchMs,
    again: { firstMs: 250, maxMs: 2_000 },
    log: needs.log,
  })
  needs.authorizeBell.ring()
  const ours = matched.filter(({ event }) => recorded.has(event.uuid))
  for (const one of matched) tell(needs, one, recorded.get(one.event.uuid))
  for (const streak of streaksOf(ours)) await countFailures(needs, streak)
}

/** At least one event, and others have their turn between two. */
async function matchInTime(
  needs: MatchNeeds,
  options: MatchOptions,
  claimed: readonly ClaimedEvent[],
): Promise<MatchedEvent[]> {
  const began = performance.now()
  const matched: MatchedEvent[] = []
  for (const event of claimed) {
    if (matched.length > 0 && performance.now() - began > options.batchMs) break
    matched.push({ event, ...evaluate(needs, event) })
    await setImmediate()
  }
  return matched
}

type Evaluated = Omit<MatchedEvent, 'event'>

/** An event that an older version accepted and this one cannot read keeps nobody else from being matched. */
function evaluate(needs: MatchNeeds, { uuid, jsondata }: ClaimedEvent): Evaluated {
  try {
    const event = needs.events?.read(uuid, jsondata) ?? Event.parse(jsondata)
    return { ...needs.subscriptions.match(event), unreadable: null }
  } catch (error) {
    if (!(error instanceof EventFormatError)) throw error
    return { matches: [], recovered: [], unreadable: error.message }
  }
}

function tell(needs: MatchNeeds, matched: MatchedEvent, afterMs: number | undefined): void {
  const { event, matches, unreadable } = matched
  const { metrics, log } = needs
  if (afterMs === undefined) {
    log.warn({ event: event.uuid, claim: event.claim }, 'event.match_refused')
  } else if (unreadable !== null) {
    metrics.unmatchable()
    log.error({ event: event.uuid, reason: unreadable }, 'event.unmatchable')
  } else {
    const failed = matches.filter(({ failure }) => failure !== undefined).length
    metrics.matched(matches.length - failed, afterMs)
    if (failed > 0) metrics.settled('failed', failed)
    log.info({ event: event.uuid, matches: matches.length - failed, failed }, 'event.matched')
  }
}

/** So many failures in a row are no accident: the subscription is disabled and says why. */
async function countFailures(needs: MatchNeeds, streak: Streak): Promise<void> {
  const { subscription, failed, lastReason } = streak
  for (let count = 0; count < failed; count += 1) needs.metrics.expressionFailed()
  const inARow = await needs.store.countFailures(streak)
  if (inARow < MOST_FAILURES || lastReason === undefined) return
  const error = `its expression failed on ${inARow} events in a row; the last time: ${lastReason}`
  if (await needs.disable(subscription, error))
    needs.log.warn({ subscription, error }, 'subscription.disabled')
}
