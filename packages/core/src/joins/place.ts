/** Where an event goes: which slot of which join, under which key. Pure. */
import type { Event } from '../events/event.ts'
import { JoinKeyError } from './errors.ts'
import type { Join, JoinSlot } from './join.ts'

/** A key is at most so long, in UTF-16 units: it is part of a unique index. */
export const MAX_JOIN_KEY = 500

/** The slot that an event fills, and its key. */
export interface JoinPlace {
  /** The join that waits for it. */
  readonly join: Join
  /** The slot's name. */
  readonly slot: string
  /** What the events of the join have in common, as text. */
  readonly key: string
}

/**
 * The first slot, of the first join in order, whose path selects something in the event; undefined when none does.
 * Throws `JoinKeyError` when that slot finds no key in it, `JsonPathLimitError` when a path does too much work on it.
 * @param joins a dispatcher's, in order
 * @param event the event to be placed
 */
export function placeOf(joins: readonly Join[], event: Event): JoinPlace | undefined {
  for (const join of joins) {
    const slot = join.slots.find(({ path, version }) => path.test(event.project(version)))
    if (slot !== undefined) return { join, slot: slot.name, key: keyOf(join, slot, event) }
  }
  return undefined
}

/** Throws `JoinKeyError` when there is none. */
export function keyOf(join: Join, slot: JoinSlot, event: Event): string {
  const selected = slot.key.select(event.project(slot.version))
  const found = selected.find(isScalar)
  const wrong = (reason: string) => new JoinKeyError(join.name, slot.name, reason)
  if (found === undefined) {
    const what = selected.length === 0 ? 'nothing' : 'no string, number or boolean'
    throw wrong(`its key, ${slot.key.text}, selects ${what} in it`)
  }
  const key = String(found)
  if (key.length > MAX_JOIN_KEY) {
    throw wrong(`its key has ${key.length} characters, where ${MAX_JOIN_KEY} are the most`)
  }
  if (/\0|\p{Surrogate}/u.test(key)) {
    throw wrong('its key contains a NUL or an unpaired surrogate, which cannot be stored')
  }
  return key
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}
