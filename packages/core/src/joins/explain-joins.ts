/** Which slot of which join gets an event, and why the others do not: what `routes` shows before the routes. Pure. */
import { compile, type Dialect, type Explanation, explain, type Warning } from '@pacifica/jsonpath'
import type { Event, Projection } from '../events/event.ts'
import type { Join, JoinSlot } from './join.ts'
import { keyOf } from './place.ts'

/** What a slot makes of an event. */
export interface SlotReport {
  /** As in the definition. */
  readonly name: string
  /** The path as it was written. */
  readonly path: string
  /** The language of the path and of the key. */
  readonly dialect: Dialect
  /** Under which names they see the event. */
  readonly version: Projection
  /** It is the first whose path selects something, so the event is for it. */
  readonly chosen: boolean
  /** What the path selects, or the first part of it that selects nothing. */
  readonly explanation: Explanation
  /** What in the path often means something else. */
  readonly warnings: readonly Warning[]
  /** Of the chosen slot: the key that the event has. Undefined when it has none, which refuses it. */
  readonly key: string | undefined
  /** Of a chosen slot without a key: why there is none. */
  readonly noKey: NoKey | undefined
}

/** Why an event has no key in its slot. */
export interface NoKey {
  /** The key's path as it was written. */
  readonly path: string
  /** As `JoinKeyError` says it. */
  readonly reason: string
  /** The first part of the key's path that selects nothing, or what it selects that can be no key. */
  readonly explanation: Explanation
}

/** What a join makes of an event. */
export interface JoinReport {
  /** As in the definition. */
  readonly name: string
  /** One for each slot, in the order in which they are tried. */
  readonly slots: readonly SlotReport[]
}

/**
 * One report for each join, in the order in which they are tried. Never throws.
 * @param joins `dispatcher.joins`
 * @param event the event
 */
export function explainJoins(joins: readonly Join[], event: Event): JoinReport[] {
  const slots = joins.flatMap((join) => join.slots.map((slot) => ({ join, slot })))
  const tried = slots.map(({ join, slot }) => ({ join, slot, ...tryPath(slot, event) }))
  // A path that cannot be tried ends the search: the service fails the event there.
  const first = tried.find(({ explanation }) => explanation.matches !== false)
  return joins.map((join) => ({
    name: join.name,
    slots: tried
      .filter((one) => one.join === join)
      .map(({ slot, explanation, warnings }) => {
        const chosen = slot === first?.slot && explanation.matches === true
        const { name, version, path } = slot
        return {
          ...{ name, path: path.text, dialect: path.dialect, version, chosen },
          ...{ explanation, warnings, key: undefined, noKey: undefined },
          ...(chosen ? keyIn(join, slot, event) : {}),
        }
      }),
  }))
}

function tryPath({ path, version }: JoinSlot, event: Event) {
  // Compiled here, as of a route: the join may come from another copy of this package.
  const compiled = compile(path.text, { dialect: path.dialect })
  const explanation = explain(compiled, event.project(version))
  return { explanation, warnings: compiled.warnings }
}

function keyIn(join: Join, slot: JoinSlot, event: Event): Pick<SlotReport, 'key' | 'noKey'> {
  try {
    return { key: keyOf(join, slot, event), noKey: undefined }
  } catch (error) {
    const { text: path, dialect } = slot.key
    const reason = error instanceof Error ? error.message : String(error)
    const explanation = explain(compile(path, { dialect }), event.project(slot.version))
    return { key: undefined, noKey: { path, reason, explanation } }
  }
}
