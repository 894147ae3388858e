/** The event that a join's own task has: it names those that came together. Pure. */
import { Event } from '@pacifica/core'
import type { FilledSlot } from './decide.ts'
import type { NamedJoin } from './failures.ts'

const TYPE = 'org.pacifica.dispatcher.join'

export function joinEvent(
  { id, name, key }: NamedJoin,
  filled: readonly FilledSlot[],
  missing: readonly string[],
): Event {
  const events = filled.map(({ slot, task, source, eventId }) => ({
    slot,
    source,
    eventID: eventId,
    taskID: task,
  }))
  return Event.parse(
    JSON.stringify({
      specversion: '1.0',
      id,
      source: `/joins/${name}`,
      type: TYPE,
      datacontenttype: 'application/json',
      data: { join: name, key, events, missing },
    }),
  )
}
