/**
 * The first step: an event is answered once it is durable, in the database or, while that is away, in the spool.
 * Requests that arrive together share one commit.
 */
import type { Event } from '@pacifica/core'
import { BatcherClosedError, batcher, isUnavailable, type Log, newTrace } from '@pacifica/platform'
import { type Availability, DatabaseUnavailableError } from '../database/availability.ts'
import { newId } from '../database/new-id.ts'
import type { Accepted, EventStore } from './event-store.ts'
import type { Arrival } from './spool/record.ts'

export interface Received {
  /** Under which the event is stored, or will be. */
  readonly uuid: string
  readonly outcome: 'stored' | 'repeated' | 'spooled'
  readonly collidesWith?: string
  /** The trace that it belongs to from now on. */
  readonly trace: string
}

export interface Receiver {
  /**
   * Resolves when the event is durable. `trace`: the W3C trace context of who brought it; a trace begins where there is
   * none.
   * @throws SpoolFullError, SpoolUnwritableError
   */
  receive(event: Event, trace?: string): Promise<Received>
  /** Commits what is collected; nothing may be received afterwards. */
  close(): Promise<void>
}

export interface ReceiverNeeds {
  readonly store: EventStore
  readonly spool: { add(arrival: Arrival): Promise<void> }
  readonly availability: Availability
  readonly log: Pick<Log, 'error'>
}

export interface ReceiverOptions {
  /** How long a group waits for company, in milliseconds. */
  readonly waitMs: number | (() => number)
  readonly maxEvents: number
  readonly maxBytes: number
  /** A commit that takes longer is not waited for: its events go to the spool, under the same ids. */
  readonly commitMs: number
}

/** Whether the commit came about is unknown. */
export class CommitTimeoutError extends Error {
  readonly code = 'COMMIT_TIMEOUT'
  constructor(ms: number) {
    super(`the database did not commit within ${ms} ms`)
  }
}

export function receiver(needs: ReceiverNeeds, options: ReceiverOptions): Receiver {
  const { availability, spool } = needs
  const group = batcher<Arrival, Accepted>(committer(needs, options), {
    maxItems: options.maxEvents,
    maxBytes: options.maxBytes,
    sizeOf: ({ event }) => event.text.length,
    waitMs: options.waitMs,
    concurrency: 2,
    repeatSingly: (error) => !isAway(error),
  })

  /** The database did not take it: it may be away, or have its reasons; the event is kept all the same. */
  function notStored(err: unknown, event: string): void {
    if (err instanceof BatcherClosedError) throw err
    if (isAway(err)) availability.lost(err)
    else needs.log.error({ err, event }, 'event.not_stored')
  }

  return {
    async receive(event, trace = newTrace()) {
      const arrival = { uuid: newId(), received: new Date(), event, trace }
      if (!availability.away) {
        try {
          const accepted = await group.add(arrival)
          availability.working()
          return receivedOf(accepted, trace)
        } catch (err) {
          notStored(err, arrival.uuid)
        }
      }
      await spool.add(arrival)
      return { uuid: arrival.uuid, outcome: 'spooled', trace }
    },
    close: () => group.close(),
  }
}

function receivedOf({ uuid, repeated, collidesWith }: Accepted, trace: string): Received {
  const outcome = repeated ? 'repeated' : 'stored'
  return collidesWith === undefined
    ? { uuid, outcome, trace }
    : { uuid, outcome, trace, collidesWith }
}

function committer(needs: ReceiverNeeds, { commitMs }: ReceiverOptions) {
  return async (arrivals: Arrival[]): Promise<Accepted[]> => {
    // Found out while this group was waiting for its turn.
    if (needs.availability.away) throw new DatabaseUnavailableError()
    const events = arrivals.map(({ event }) => event)
    const uuids = arrivals.map(({ uuid }) => uuid)
    const traces = arrivals.map(({ trace }) => trace)
    return await within(commitMs, needs.store.insert(events, uuids, traces))
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CommitTimeoutError(ms)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

function isAway(error: unknown): boolean {
  const isOurs = error instanceof CommitTimeoutError || error instanceof DatabaseUnavailableError
  return isOurs || isUnavailable(error)
}
