/**
 * Why a message died, for people. The broker keeps one word; what its consumer found wrong is found again here, by the
 * same rules, so that it need not travel with the message.
 */
import { Event, EventFormatError } from '@pacifica/core'
import { type BrokerMessage, type DeadMessage, dispatchTrouble } from '@pacifica/platform'
import { readEvents } from '../intake/read-events.ts'

const RECEIVE = 'pacifica.receive'
const DISPATCHES = 'pacifica.dispatch.'

export function whyItDied(message: DeadMessage, options: { maxBody: number }): string {
  const { death } = message
  if (death === undefined)
    return 'it does not say from which queue it came: somebody put it into pacifica.dead'
  switch (death.reason) {
    case 'rejected':
      return refused(message, death.queue, options)
    case 'delivery_limit':
      return 'it was offered as often as its queue allows, and each time it could not be kept: the log of its consumer says why, in lines like dispatch.rejected'
    case 'expired':
      return 'it waited in its queue for longer than its time to live'
    case 'maxlen':
      return 'its queue was full'
    default:
      return `the broker says: ${death.reason}`
  }
}

function refused(message: BrokerMessage, queue: string, options: { maxBody: number }): string {
  const trouble = queue === RECEIVE ? noEvent(message, options) : noDispatch(message, queue)
  return trouble ?? 'its consumer refused it: the log of that consumer says why'
}

function noEvent(message: BrokerMessage, options: { maxBody: number }): string | undefined {
  const reading = readEvents(message, options)
  return reading.kind === 'refused' ? `it holds no event: ${reading.reason}` : undefined
}

function noDispatch(message: BrokerMessage, queue: string): string | undefined {
  if (!queue.startsWith(DISPATCHES)) return undefined
  const trouble = dispatchTrouble(message)
  if (trouble !== undefined) return `it is no dispatch: ${trouble}`
  try {
    Event.parse(message.body)
    return undefined
  } catch (error) {
    if (error instanceof EventFormatError) return `it holds no event: ${error.message}`
    throw error
  }
}
