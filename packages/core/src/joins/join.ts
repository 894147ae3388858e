/** A join: several events that belong together by a key are worked on together, or at a deadline with what is there. */
import type { CompiledPath, Dialect } from '@pacifica/jsonpath'
import type { Projection } from '../events/event.ts'
import type { JoinHandler } from './join-handler.ts'

/** Which events fill a slot, and what in them is the key. */
export interface SlotDefinition {
  /** A JSONPath; an event in which it selects something fills the slot. */
  readonly path: string
  /**
   * A JSONPath to the key: its first selected string, number or boolean, taken as text (`67` and `"67"` are one key), at
   * most 500 characters. An event in which it selects none ends as 422 with `JoinKeyError`.
   */
  readonly key: string
  /** The projection that both paths are matched on; `v0.1`, the names Metadata uses, unless given. */
  readonly version?: Projection
  /** The language of both paths; `jsonpath2` unless given. */
  readonly dialect?: Dialect
}

/**
 * A join as its author writes it.
 * @typeParam Slot the names of its slots
 */
export interface JoinDefinition<Slot extends string = string> {
  /** 1 to 64 of a-z, 0-9 and `-`; each join of a dispatcher has its own. It is kept with what waits: do not change it. */
  readonly name: string
  /** At least two, by name: a letter, then up to 63 letters, digits, `_` or `-`. They are tried in this order. */
  readonly slots: Readonly<Record<Slot, SlotDefinition>>
  /** How long the others are waited for once the first event is there: `30s`, `10min`, `2h`, `5d`; at most `366d`. */
  readonly deadline: string
  /** When it is over: `run` the handler with what is there, or `fail`, so that all events end as 422. */
  readonly atDeadline: 'run' | 'fail'
  /**
   * What becomes of another event for a slot that is filled, while others are waited for: `keep` (unless given) leaves the
   * first, and the later one ends as 422; `replace` takes the later one, and the first ends as 422. The same event again
   * changes nothing.
   */
  readonly onDuplicate?: 'keep' | 'replace'
  /**
   * What becomes of an event whose key's join has run, or has ended otherwise: `open` (unless given) begins a new one, with
   * a deadline of its own; `refuse` ends the event as 422, for as long as the dispatcher keeps the earlier join.
   */
  readonly onLate?: 'open' | 'refuse'
  /** As on a route: also takes events about results of this dispatcher, and of long chains. */
  readonly allowLoops?: boolean
  /** Gets the events when all slots are filled, or at the deadline. */
  readonly handler: JoinHandler<Slot>
}

/** A slot, compiled. */
export interface JoinSlot {
  /** As in the definition. */
  readonly name: string
  /** What an event must have to fill it. */
  readonly path: CompiledPath
  /** Selects the key in such an event. */
  readonly key: CompiledPath
  /** The names that both paths see. */
  readonly version: Projection
}

/** A join, checked and compiled: what `defineDispatcher` makes of a definition. */
export interface Join {
  /** As in the definition. */
  readonly name: string
  /** In the order of the definition. */
  readonly slots: readonly JoinSlot[]
  /** Milliseconds. */
  readonly deadlineMs: number
  /** What happens when the deadline is over. */
  readonly atDeadline: 'run' | 'fail'
  /** What becomes of another event for a slot that is filled. */
  readonly onDuplicate: 'keep' | 'replace'
  /** What becomes of an event whose key's join is over. */
  readonly onLate: 'open' | 'refuse'
  /** Whether the loop guard lets results of this very dispatcher pass. */
  readonly allowLoops: boolean
  /** What the events go to. */
  readonly handler: JoinHandler
}

/**
 * Puts a join together, with its handler typed by its slots: `events.raw` is there, `events.rwa` does not compile. What is
 * wrong with it `defineDispatcher` says, together with all else.
 * @typeParam Slot taken from `slots`
 * @param definition the name, the slots, the deadline
 * @param handler gets the events when all slots are filled, or at the deadline
 * @example
 * defineJoin(
 *   {
 *     name: 'pair',
 *     slots: { raw: { path: RAW, key: SAMPLE }, calibration: { path: CALIBRATION, key: SAMPLE } },
 *     deadline: '2h',
 *     atDeadline: 'run',
 *   },
 *   new JoinTransformHandler(async ({ slots, output }) => { … }),
 * )
 */
export function defineJoin<const Slot extends string>(
  definition: Omit<JoinDefinition<Slot>, 'handler'>,
  handler: JoinHandler<Slot>,
): JoinDefinition<Slot> {
  return { ...definition, handler }
}
