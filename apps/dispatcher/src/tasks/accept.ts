/**
 * The first step, the same for both ways in: an event that came by the queue or by POST /receive is committed as a
 * task, or joins the task that it already has (the rule stands in store.ts). Whoever sent it is answered after that.
 */
import { Event, File } from '@pacifica/core'
import {
  type Bell,
  type DispatchMessage,
  type Log,
  newTrace,
  readTrace,
  UnreadableDispatchError,
} from '@pacifica/platform'
import type { Accepted, Arrival } from './store.ts'

export interface AcceptNeeds {
  readonly store: (arrival: Arrival) => Promise<Accepted>
  readonly bell: Bell
  readonly log: Log
  readonly newId: () => string
  /** Told how long each acceptance took, in seconds. */
  readonly onAccepted: (seconds: number) => void
}

/** A message of the queue. Rejects with an UnreadableDispatchError when it holds no event. */
export async function acceptMessage(
  needs: AcceptNeeds,
  message: DispatchMessage,
): Promise<Accepted> {
  const { deliveryId, replay, digest, traceparent } = message
  const event = readEvent(message.body)
  const delivery = { id: deliveryId, replay }
  const accepted = await accept(needs, event, { delivery, digest, trace: traceparent })
  // Whoever sent a dead letter again may wait for something to happen.
  if (message.letter !== undefined && !accepted.isNew)
    needs.log.warn(
      { task: accepted.taskId, letter: message.letter, delivery },
      'task.already_there',
    )
  return accepted
}

function readEvent(body: string): Event {
  try {
    return Event.parse(body)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new UnreadableDispatchError(`it holds no event: ${reason}`, { cause })
  }
}

/**
 * An event of POST /receive. It counts as a first delivery: the same event again, which is a client's retry, gives the
 * same task, unless that one failed.
 */
export function acceptPosted(needs: AcceptNeeds, event: Event, trace?: string): Promise<Accepted> {
  return accept(needs, event, { delivery: undefined, digest: event.digest, trace })
}

async function accept(
  { store, bell, log, newId, onAccepted }: AcceptNeeds,
  event: Event,
  from: Pick<Arrival, 'delivery' | 'digest' | 'trace'>,
): Promise<Accepted> {
  const startedAt = performance.now()
  const origin = { ...from, trace: readTrace(from.trace) ?? newTrace() }
  const { source, id: eventId, text } = event
  const accepted = await store({
    ...{ id: newId(), source, eventId, event: text, size: bytesOf(event) },
    ...origin,
  })
  if (accepted.isNew) bell.ring()
  const ms = performance.now() - startedAt
  onAccepted(ms / 1000)
  log.info(
    {
      task: accepted.taskId,
      isNew: accepted.isNew,
      source,
      eventId,
      ...origin,
      ms: Math.round(ms),
    },
    'task.accepted',
  )
  return accepted
}

/** Of the event's files together, by its own word. What is no size, or no list of files, is its handler's to complain of. */
export function bytesOf(event: Event): number {
  let bytes = 0
  try {
    for (const { size = 0 } of File.fromEvent(event)) if (size > 0) bytes += Math.ceil(size)
  } catch {
    return 0
  }
  return Math.min(bytes, Number.MAX_SAFE_INTEGER)
}
