/**
 * The second step: new events are claimed, the subscriptions brought up to date, and a delivery stored for each match.
 */
import { Event } from '@pacifica/core'
import type { Bell, Log } from '@pacifica/platform'
import type { LiveSubscriptions } from './live-subscriptions.ts'
import type { ClaimedEvent, MatchedEvent, MatchStore } from './match-store.ts'

export interface MatchNeeds {
  readonly store: MatchStore
  readonly subscriptions: LiveSubscriptions
  readonly authorizeBell: Bell
  readonly log: Log
}

/** One step of the loop: a batch, then one event that was interrupted too often to be trusted in a batch. */
export function matchStep(needs: MatchNeeds, options: { batch: number }): () => Promise<boolean> {
  return async () => {
    const together = await needs.store.claimTogether(options.batch)
    if (together.length > 0) await matchClaimed(needs, together)
    const alone = await needs.store.claimAlone()
    if (alone.length > 0) await matchClaimed(needs, alone)
    for (const event of await needs.store.giveUp()) needs.log.error({ event }, 'event.unmatchable')
    return together.length + alone.length > 0
  }
}

async function matchClaimed(needs: MatchNeeds, claimed: readonly ClaimedEvent[]): Promise<void> {
  await needs.subscriptions.refresh() // after the claim: see live-subscriptions
  const matched: MatchedEvent[] = claimed.map((event) => ({
    event,
    matches: needs.subscriptions.match(Event.parse(event.jsondata)),
  }))
  const ours = new Set(await needs.store.record(matched))
  needs.authorizeBell.ring()
  for (const { event, matches } of matched) {
    if (ours.has(event.uuid))
      needs.log.info({ event: event.uuid, matches: matches.length }, 'event.matched')
    else needs.log.warn({ event: event.uuid, claim: event.claim }, 'event.match_refused')
  }
}
