/** `eventpurge`: deletes events and all that belongs to them, in batches. */
import { purgeEvents } from '../purge/purge.ts'
import { textOf, wholeNumber } from './command.ts'
import { parseDate } from './dates.ts'
import { DAY_MS, type EventCommand, uuidsOf } from './event-command.ts'

export interface EventPurgeOptions {
  readonly uuids: readonly string[]
  /** RFC 3339; without uuids only. */
  readonly before: string
  readonly limit: number
  readonly pendingToo: 'all' | 'none'
}

export const eventpurge: EventCommand<EventPurgeOptions> = {
  name: 'eventpurge',
  words: 'UUID',
  help: `Deletes events, with their deliveries and all that is known of them. What still waits is kept.

  UUID …                  these events; without them, by age
  --older-than-date TIME  accepted before this time (default: a day ago)
  --date-format FORMAT    of that time, as Python's strptime (default: %Y-%m-%d %H:%M:%S, local time)
  --limit N               at most N events
  --pending               also events that wait to be matched or delivered`,
  options: {
    'older-than-date': { type: 'string' },
    'date-format': { type: 'string' },
    limit: { type: 'string' },
    pending: { type: 'boolean' },
  },
  read(given, now) {
    const date = textOf(given, 'older-than-date')
    const before =
      date === undefined
        ? new Date(now.getTime() - DAY_MS)
        : parseDate(date, textOf(given, 'date-format'))
    return {
      uuids: uuidsOf(given),
      before: before.toISOString(),
      limit: wholeNumber(given, 'limit', Number.MAX_SAFE_INTEGER),
      pendingToo: given.options['pending'] === true ? 'all' : 'none',
    }
  },
  async *run(database, { uuids, before, limit, pendingToo }) {
    const which = uuids.length > 0 ? { uuids } : { before: new Date(before) }
    const { purged, kept } = await purgeEvents(database, { which, limit, pendingToo })
    yield `${purged} events purged${kept === 0 ? '' : `, ${kept} kept: they still wait`}\n`
  },
}
