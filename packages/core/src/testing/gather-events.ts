/** Where the events of a run go, in the order in which they are given: as the service would place them. Pure. */
import type { Event } from '../events/event.ts'
import type { Join } from '../joins/join.ts'
import { placeOf } from '../joins/place.ts'

/** Where one event went. */
export interface EventPlace {
  /** The event's id. */
  readonly eventId: string
  /** The join that it is for; undefined when no slot of any wants it, or it has no key. */
  readonly join: string | undefined
  /** The slot that it is for; the same. */
  readonly slot: string | undefined
  /** Its key; the same. */
  readonly key: string | undefined
  /**
   * `filled`: it is in its slot. `same`: an event of the same text is. `taken`: another one is, which `onDuplicate` keeps.
   * `replaced`: another one is, which has taken its place. `late`: it came when all slots were filled, and begins another
   * join or is refused, as `onLate` says. `apart`: it has another join or key than the first. `refused`: no slot wants it,
   * or it has no key.
   */
  readonly became: 'filled' | 'same' | 'taken' | 'replaced' | 'late' | 'apart' | 'refused'
  /** Why it was refused. */
  readonly reason: string | undefined
}

/** What came together. */
export interface Gathered {
  readonly join: Join | undefined
  readonly key: string | undefined
  readonly events: ReadonlyMap<string, Event>
  readonly places: readonly EventPlace[]
}

type Place = { -readonly [Name in keyof EventPlace]: EventPlace[Name] }

export function gatherEvents(joins: readonly Join[], events: readonly Event[]): Gathered {
  const filled = new Map<string, { readonly event: Event; readonly place: Place }>()
  let join: Join | undefined
  const places: Place[] = []
  for (const event of events) {
    const { found, place } = tryPlace(joins, event)
    places.push(place)
    if (found === undefined) continue
    join ??= found.join
    if (found.join !== join || found.key !== places.find(({ key }) => key !== undefined)?.key) {
      place.became = 'apart'
      continue
    }
    const held = filled.get(found.slot)
    place.became = becomes(join, filled.size, held?.event, event)
    if (place.became !== 'filled') continue
    if (held !== undefined) held.place.became = 'replaced'
    filled.set(found.slot, { event, place })
  }
  const key = places.find((place) => place.key !== undefined)?.key
  return {
    join,
    key,
    events: new Map([...filled].map(([slot, { event }]) => [slot, event])),
    places,
  }
}

function becomes(
  join: Join,
  filled: number,
  held: Event | undefined,
  event: Event,
): EventPlace['became'] {
  if (held?.text === event.text) return 'same'
  if (filled === join.slots.length) return 'late'
  return held !== undefined && join.onDuplicate === 'keep' ? 'taken' : 'filled'
}

function tryPlace(joins: readonly Join[], event: Event) {
  const place: Place = {
    ...{ eventId: event.id, join: undefined, slot: undefined, key: undefined },
    ...{ became: 'refused', reason: undefined },
  }
  try {
    const found = placeOf(joins, event)
    if (found === undefined) return { found, place: { ...place, reason: 'no slot wants it' } }
    return { found, place: { ...place, join: found.join.name, slot: found.slot, key: found.key } }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { found: undefined, place: { ...place, reason } }
  }
}
