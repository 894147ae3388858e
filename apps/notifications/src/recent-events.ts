/**
 * Events that have gone through this process lately, as they were read: an event never changes, so who has its id need not
 * read its text again, be it matched a moment after it was accepted or sent to a hundred subscriptions. A shortcut only:
 * whatever is not here is read from its text.
 */
import { Event } from '@pacifica/core'

export interface RecentEvents {
  add(uuid: string, event: Event): void
  /** The event that is stored under `uuid`; `text` is its text. @throws EventFormatError */
  read(uuid: string, text: string): Event
}

/** @param maxLength characters of all texts together; what is parsed takes some times as much memory */
export function recentEvents(maxLength: number): RecentEvents {
  const events = new Map<string, Event>()
  let length = 0

  function forget(uuid: string, event: Event): void {
    events.delete(uuid)
    length -= event.text.length
  }

  /** Beginning with the oldest. */
  function makeRoom(): void {
    for (const [uuid, event] of events) {
      if (length <= maxLength) return
      forget(uuid, event)
    }
  }

  function add(uuid: string, event: Event): void {
    if (events.has(uuid) || event.text.length > maxLength) return
    events.set(uuid, event)
    length += event.text.length
    makeRoom()
  }

  return {
    add,
    read(uuid, text) {
      const known = events.get(uuid)
      if (known !== undefined) return known
      const event = Event.parse(text)
      add(uuid, event)
      return event
    },
  }
}
