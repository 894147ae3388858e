/** `eventget`: events and what became of them, in the form of the Python service, or as JSON. */
import type { Database } from '@pacifica/platform'
import { type Given, textOf, UsageError, wholeNumber } from './command.ts'
import { parseDate } from './dates.ts'
import { DAY_MS, type EventCommand, uuidsOf } from './event-command.ts'
import { type FoundDelivery, type FoundEvent, findEvents, type Wanted } from './find-events.ts'

export interface EventGetOptions extends Wanted {
  readonly json: boolean
}

export const eventget: EventCommand<EventGetOptions> = {
  name: 'eventget',
  words: 'UUID',
  help: `Prints events, the newest first, each with its deliveries.

  UUID …                these events; without them, those of the last day
  --start-date TIME     accepted at or after this time (default: a day ago)
  --end-date TIME       accepted before this time (default: now)
  --date-format FORMAT  of both times, as Python's strptime (default: %Y-%m-%d %H:%M:%S, local time)
  --limit N             at most N events (default: 10)
  --json                as a JSON list, with everything that is known`,
  options: {
    'start-date': { type: 'string' },
    'end-date': { type: 'string' },
    'date-format': { type: 'string' },
    limit: { type: 'string' },
    json: { type: 'boolean' },
  },
  read,
  run,
}

function read(given: Given, now: Date): EventGetOptions {
  const uuids = uuidsOf(given)
  const date = (name: string) => {
    const text = textOf(given, name)
    return text === undefined ? undefined : parseDate(text, textOf(given, 'date-format'))
  }
  const [start, end] = [date('start-date'), date('end-date')]
  const from = start ?? (uuids.length > 0 ? undefined : new Date(now.getTime() - DAY_MS))
  const to = end ?? (uuids.length > 0 ? undefined : now)
  if (from !== undefined && to !== undefined && from > to)
    throw new UsageError(
      `--start-date ${from.toISOString()} is after --end-date ${to.toISOString()}`,
    )
  return {
    uuids,
    start: from?.toISOString() ?? null,
    end: to?.toISOString() ?? null,
    limit: wholeNumber(given, 'limit', Math.max(10, uuids.length)),
    json: given.options['json'] === true,
  }
}

async function* run(database: Database, options: EventGetOptions): AsyncGenerator<string> {
  const { json } = options
  let first = true
  if (json) yield '[\n'
  for await (const { event, deliveries } of findEvents(database, options)) {
    yield json ? `${first ? '' : ',\n'}${jsonOf(event, deliveries)}` : textFor(event, deliveries)
    first = false
  }
  if (json) yield first ? ']\n' : '\n]\n'
}

/** As the Python service's documentation shows it; `None` is what it prints for an answer that never came. */
function textFor(event: FoundEvent, deliveries: readonly FoundDelivery[]): string {
  const lines = deliveries.map(
    ({ uuid, created, policy, target }) =>
      `    ELM ${uuid} (${created.toISOString()}) policy ${policy ?? 'None'} target ${target ?? 'None'}\n`,
  )
  return `Event - ${event.uuid}\n${event.jsondata}\n${lines.join('')}`
}

/** The event's own text stands in it as it was received. */
function jsonOf(event: FoundEvent, deliveries: readonly FoundDelivery[]): string {
  const { uuid, created, state, reason } = event
  const about = JSON.stringify({
    uuid,
    created,
    state,
    reason,
    deliveries: deliveries.map(({ event: _, ...delivery }) => delivery),
  })
  return `${about.slice(0, -1)},"event":${isJson(event.jsondata) ? event.jsondata : JSON.stringify(event.jsondata)}}`
}

/** Python's dumps writes NaN, which is none. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
