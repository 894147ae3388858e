/** An event's deliveries sent anew because somebody asked for it, or the event matched again. */
import type { Sql } from '@pacifica/platform'
import type { DeliveryState } from '../deliver/delivery.ts'
import { followThese } from '../deliver/lanes.ts'
import {
  CANDIDATE,
  type Candidate,
  REPLAYABLE,
  type Replayable,
  replayDeliveries,
  type Skipped,
  sortOut,
} from './replay.ts'
import type { Viewer } from './viewer.ts'

/** Settled without a success: what a retry means when nothing else is said. */
export const RETRY_STATES: readonly Replayable[] = ['exhausted', 'failed', 'denied']

export interface RetryRequest {
  /** These deliveries, whatever their state; undefined: all that the viewer sees. */
  readonly deliveries?: readonly string[] | undefined
  readonly states?: readonly Replayable[] | undefined
}

export interface Retried {
  readonly retried: readonly string[]
  readonly skipped: readonly Skipped[]
}

interface Found extends Candidate {
  readonly next: Date | null
}

/** No more at once; the rest is for the next call. */
export const MOST_RETRIED = 1000

const find = `
  SELECT ${CANDIDATE}, d.due AS next
  FROM delivery d JOIN eventmatch m ON m.uuid = d.subscription JOIN eventlog e ON e.uuid = d.event
  WHERE d.event = $1 AND ($2::text IS NULL OR d.owner = $2)
    AND ($3::uuid[] IS NULL OR d.uuid = ANY($3)) AND ($4::text[] IS NULL OR d.state = ANY($4))
  ORDER BY d.created, d.uuid LIMIT ${MOST_RETRIED}`

export async function retryEvent(
  sql: Sql,
  event: string,
  request: RetryRequest,
  viewer: Viewer,
): Promise<Retried> {
  const { deliveries, states = deliveries === undefined ? RETRY_STATES : undefined } = request
  const owner = viewer.admin ? null : viewer.user
  const found = await sql.query<Found>(find, [event, owner, deliveries ?? null, states ?? null])
  const ready = found.filter(({ state }) => isReplayable(state))
  const { wanted, skipped } = await sortOut(ready)
  const retried = await replayDeliveries(sql, wanted)
  await followThese(sql, [...retried])
  const unready = found.filter(({ state }) => !isReplayable(state))
  const overtaken = wanted.filter((uuid) => !retried.has(uuid))
  const unseen = (deliveries ?? []).filter((uuid) => !found.some((row) => row.uuid === uuid))
  return {
    retried: [...retried],
    skipped: [
      ...skipped,
      ...unready.map(({ uuid, state }) => ({
        delivery: uuid,
        state,
        reason: WHY_NOT[state] ?? '',
      })),
      ...overtaken.map((uuid) => ({ delivery: uuid, state: null, reason: OVERTAKEN })),
      ...unseen.map((uuid) => ({ delivery: uuid, state: null, reason: UNSEEN })),
    ],
  }
}

function isReplayable(state: DeliveryState): boolean {
  return REPLAYABLE.some((name) => name === state)
}

const OVERTAKEN = 'it changed its state at this very moment; look again'
const UNSEEN = 'you have no such delivery of this event in one of the states asked for'
const WHY_NOT: Partial<Record<DeliveryState, string>> = {
  pending: 'it has not been sent yet: it waits for Policy or for its turn',
  delivering: 'it is being sent at this moment',
  held: 'its subscription is disabled: enable it and the delivery goes out',
  cancelled: 'its subscription was deleted',
}

const matchAgain = `
  UPDATE event_state SET state = 'new', reason = NULL, begun = 0, due = now()
  WHERE event = $1 AND state = 'unmatchable' RETURNING event`

/** An event that was put aside is matched again; false when it is none. */
export async function matchEventAgain(sql: Sql, event: string): Promise<boolean> {
  return (await sql.query(matchAgain, [event])).length > 0
}
