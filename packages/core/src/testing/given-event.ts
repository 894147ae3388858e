/** The event of a run, from whatever form it is given in. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Event } from '../events/event.ts'
import type { JsonObject } from '../events/json.ts'
import { EventFileError } from './errors.ts'

/** A file, the JSON object itself, or what `Event.parse` made of it. */
export type GivenEvent = string | URL | JsonObject | Event

/** Throws `EventFileError` for a file, `EventFormatError` for an object that is no event. */
export async function readEvent(given: GivenEvent): Promise<Event> {
  if (typeof given === 'string') return await eventIn(given)
  if (given instanceof URL) return await eventIn(fileURLToPath(given))
  return isEvent(given) ? given : Event.parse(JSON.stringify(given))
}

/** Also one of another copy of this package. */
function isEvent(given: JsonObject | Event): given is Event {
  return typeof given['project'] === 'function' && typeof given['text'] === 'string'
}

async function eventIn(path: string): Promise<Event> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new EventFileError(`the event file ${path} ${whyUnreadable(cause)}`, { cause })
  })
  try {
    return Event.parse(bytes)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new EventFileError(`${path} holds no event: ${reason}`, { cause })
  }
}

function whyUnreadable({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT') return 'is not there'
  return code === 'EISDIR' ? 'is a folder' : `cannot be read: ${message}`
}
