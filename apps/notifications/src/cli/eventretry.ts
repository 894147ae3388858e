/** `eventretry`: sends events again. */
import { type Given, UsageError } from './command.ts'
import { type EventCommand, uuidsOf } from './event-command.ts'
import { retryEvents } from './retry-events.ts'

export interface EventRetryOptions {
  readonly uuids: readonly string[]
}

export const eventretry: EventCommand<EventRetryOptions> = {
  name: 'eventretry',
  words: 'UUID',
  help: `Sends events again: to whom they were sent, and to every subscription that matches them now.
Prints each delivery that is under way again, as "uuid - pending".

  UUID …   the events`,
  options: {},
  read(given: Given) {
    if (given.words.length === 0) throw new UsageError('eventretry needs the uuids of events')
    return { uuids: uuidsOf(given) }
  },
  async *run(database, { uuids }) {
    const { events, deliveries } = await retryEvents(database, uuids)
    for (const uuid of uuids) {
      if (!events.includes(uuid)) yield `Event ${uuid} - unknown\n`
      for (const delivery of deliveries.filter(({ event }) => event === uuid))
        yield `${delivery.uuid} - pending\n`
      if (events.includes(uuid)) yield `Event ${uuid} - matched anew\n`
    }
  },
}
