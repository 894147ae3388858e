/**
 * The first step: an event is answered once it is committed. Requests that arrive together share one commit.
 */
import type { Event } from '@pacifica/core'
import { type Bell, batcher } from '@pacifica/platform'
import type { Accepted, EventStore } from './event-store.ts'

export interface Receiver {
  /** Resolves when the event is durable. */
  receive(event: Event): Promise<Accepted>
  /** Commits what is collected; nothing may be received afterwards. */
  close(): Promise<void>
}

export interface ReceiverOptions {
  /** How long a group waits for company, in milliseconds. */
  readonly waitMs: number
  readonly maxEvents: number
  readonly maxBytes: number
}

export function receiver(
  needs: { store: EventStore; matchBell: Bell },
  options: ReceiverOptions,
): Receiver {
  const commit = async (events: Event[]): Promise<Accepted[]> => {
    const accepted = await needs.store.insert(events)
    needs.matchBell.ring()
    return accepted
  }
  const group = batcher<Event, Accepted>(commit, {
    maxItems: options.maxEvents,
    maxBytes: options.maxBytes,
    sizeOf: (event) => event.text.length,
    waitMs: options.waitMs,
    concurrency: 2,
  })
  return { receive: (event) => group.add(event), close: () => group.close() }
}
