/** Events in the hand of who matches them, in a scene: stored as claimed, matched, answered by Policy, not recorded yet. */
import { Event } from '@pacifica/core'
import { eventStore } from '../../apps/notifications/src/accept/event-store.ts'
import type { PolicyAnswer } from '../../apps/notifications/src/authorize/policy-client.ts'
import { LANE_COPIES } from '../../apps/notifications/src/deliver/lanes.ts'
import { liveSubscriptions } from '../../apps/notifications/src/match/live-subscriptions.ts'
import type { ClaimedEvent } from '../../apps/notifications/src/match/match-store.ts'
import type { MatchedEvent } from '../../apps/notifications/src/match/record-matches.ts'
import type { Scene } from './scene.ts'

const HOUR_MS = 3_600_000

/** A subscription to events of one type whose lane is there and sleeps; its uuid. */
export async function withLane(
  { sql, subscribe }: Scene,
  type: string,
  user = 'ann',
  row = {},
): Promise<string> {
  const { uuid } = await subscribe(type, user, row)
  await sql.query(
    `INSERT INTO lane (subscription, owner, host, cap)
     SELECT m.uuid, ${LANE_COPIES} FROM eventmatch m WHERE m.uuid = $1`,
    [uuid],
  )
  return uuid
}

/** What they match now, with this answer of Policy for each user; undefined: it was not asked. */
export async function matchedInHand(
  { sql }: Scene,
  events: readonly ClaimedEvent[],
  answer: PolicyAnswer | undefined,
): Promise<MatchedEvent[]> {
  const live = liveSubscriptions({ sql })
  await live.refresh()
  const at = performance.now()
  return events.map((event) => {
    const evaluation = live.match(Event.parse(event.jsondata))
    const owners = new Set(evaluation.matches.map(({ owner }) => owner))
    const answers = [...owners].flatMap((owner) =>
      answer === undefined ? [] : [{ owner, answer, askAgainMs: HOUR_MS, at }],
    )
    return { event, ...evaluation, unreadable: null, answers }
  })
}

/** Events of these types, new. */
export async function storedInHand(
  scene: Scene,
  types: readonly string[],
  answer: PolicyAnswer | undefined,
): Promise<MatchedEvent[]> {
  const events = types.map((type) => scene.anEvent(type))
  const traces = events.map(({ id }) => `trace of ${id}`)
  const store = eventStore({ sql: scene.sql })
  const stored = await store.insert(events, undefined, traces, HOUR_MS)
  const claimed = events.map(({ text: jsondata, digest }, place) => ({
    ...{ uuid: stored[place]?.uuid ?? '', jsondata, digest, trace: traces[place] ?? null },
    ...{ claim: 1, begun: 1 },
  }))
  return matchedInHand(scene, claimed, answer)
}
