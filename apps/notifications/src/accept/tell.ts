/** What is told of an accepted event beside its own line: in the log and in the metrics. */
import type { Event } from '@pacifica/core'
import type { Log } from '@pacifica/platform'
import type { Accepted } from './event-store.ts'
import type { AcceptMetrics } from './metrics.ts'

/** Senders choose these, at any length. */
const MOST_CHARS = 200

export function attributesForLog({ source, id, type }: Event) {
  return { source: short(source), id: short(id), type: short(type) }
}

/** Two senders, or one with a mistake, use the same source and id for different events: both are kept and delivered. */
export function tellCollision(
  { log, metrics }: { log: Pick<Log, 'warn'>; metrics: AcceptMetrics },
  event: Event,
  { uuid, collidesWith }: Pick<Accepted, 'uuid' | 'collidesWith'>,
): void {
  if (collidesWith === undefined) return
  metrics.collisions.inc()
  log.warn({ event: uuid, first: collidesWith, ...attributesForLog(event) }, 'event.collision')
}

function short(text: string): string {
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS)}…`
}
