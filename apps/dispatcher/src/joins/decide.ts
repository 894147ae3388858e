/** What an event does to the join that it is for. Pure: the store locks what is there, asks this, and does what it says. */

/** The same in each of these: the same event, whoever brought it. */
export interface EventIdentity {
  readonly source: string
  readonly eventId: string
  readonly digest: string
}

/** A slot with its event, by the task that the event came as. */
export interface FilledSlot extends EventIdentity {
  readonly slot: string
  readonly task: string
}

/** What the store has found for the join's name and key. */
export interface Standing {
  readonly open: { readonly id: string; readonly filled: readonly FilledSlot[] } | undefined
  /** The newest that is over, if one is known. */
  readonly last: { readonly id: string; readonly state: string } | undefined
}

/** Which slot the event is for, and what its definition says. */
export interface Asked extends EventIdentity {
  readonly slot: string
  /** All of the join's. */
  readonly slots: readonly string[]
  readonly onDuplicate: 'keep' | 'replace'
  readonly onLate: 'open' | 'refuse'
}

export type Decision =
  /** It is the first of its key. */
  | { readonly kind: 'open' }
  /** `complete`: nothing is missing any more. So below. */
  | { readonly kind: 'fill'; readonly join: string; readonly complete: boolean }
  /** It is in the slot already: the slot stays as it is, and this task shares what becomes of it. */
  | { readonly kind: 'again'; readonly join: string; readonly complete: boolean }
  | {
      readonly kind: 'replace'
      readonly join: string
      readonly complete: boolean
      readonly held: FilledSlot
    }
  /** Refused: another event has the slot. */
  | { readonly kind: 'taken'; readonly join: string; readonly held: FilledSlot }
  /** Refused: the join of this key is over. */
  | { readonly kind: 'late'; readonly join: string; readonly state: string }

export function decide(asked: Asked, { open, last }: Standing): Decision {
  if (open === undefined) {
    if (asked.onLate === 'open' || last === undefined) return { kind: 'open' }
    return { kind: 'late', join: last.id, state: last.state }
  }
  const { id: join, filled } = open
  const complete =
    missingOf(asked.slots, [asked.slot, ...filled.map(({ slot }) => slot)]).length === 0
  const held = filled.find(({ slot }) => slot === asked.slot)
  if (held === undefined) return { kind: 'fill', join, complete }
  if (isSame(held, asked)) return { kind: 'again', join, complete }
  if (asked.onDuplicate === 'replace') return { kind: 'replace', join, complete, held }
  return { kind: 'taken', join, held }
}

export function missingOf(slots: readonly string[], filled: readonly string[]): string[] {
  return slots.filter((slot) => !filled.includes(slot))
}

/** In the order of the definition; what is not in it (any more) comes last. */
export function inOrder<T extends { readonly slot: string }>(
  slots: readonly string[],
  filled: readonly T[],
): T[] {
  const place = ({ slot }: T) => (slots.includes(slot) ? slots.indexOf(slot) : slots.length)
  return filled.toSorted((one, other) => place(one) - place(other))
}

function isSame(one: EventIdentity, other: EventIdentity): boolean {
  return one.digest === other.digest && one.source === other.source && one.eventId === other.eventId
}
