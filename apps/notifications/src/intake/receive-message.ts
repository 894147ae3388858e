/**
 * A message of `pacifica.receive` is treated like a request to POST /receive: it is acknowledged when its events are
 * durable, in the database or in the spool. Refused, it becomes a dead letter; not kept anywhere, it comes again.
 */
import { type BrokerMessage, type Log, RefusedMessageError } from '@pacifica/platform'
import { type TakeNeeds, takeEvent } from '../accept/take.ts'
import type { IntakeMetrics } from './metrics.ts'
import { readEvents } from './read-events.ts'

export interface ReceiveMessageNeeds extends TakeNeeds {
  readonly metrics: IntakeMetrics
  readonly log: Pick<Log, 'info' | 'warn'>
}

/** @returns what rejects with a RefusedMessageError for a message that is no event, and with others while nothing keeps it */
export function receiveMessage(
  needs: ReceiveMessageNeeds,
  options: { maxBody: number },
): (message: BrokerMessage) => Promise<void> {
  const { metrics, log } = needs
  return async (message) => {
    const reading = readEvents(message, options)
    if (reading.kind === 'refused') {
      metrics.messages.inc({ outcome: 'refused' })
      throw new RefusedMessageError(reading.reason)
    }
    const { form, events } = reading
    try {
      await Promise.all(events.map((event) => takeEvent(needs, event, { form, log })))
    } catch (error) {
      metrics.messages.inc({ outcome: 'returned' })
      throw error
    }
    metrics.messages.inc({ outcome: 'accepted' })
  }
}
