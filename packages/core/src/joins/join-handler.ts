import type { Event } from '../events/event.ts'
import type { TaskContext } from '../handlers/task-context.ts'

/**
 * The events that a join has brought together.
 * @typeParam Slot the names of the join's slots: `'raw' | 'calibration'`
 */
export interface JoinedEvents<Slot extends string = string> {
  /** The join's name. */
  readonly join: string
  /** What the events have in common, as text. */
  readonly key: string
  /** The event of each slot; undefined for what had not come by the deadline. */
  readonly events: Readonly<Record<Slot, Event | undefined>>
  /** The slots without an event, in the definition's order: none unless the join runs at its deadline with what is there. */
  readonly missing: readonly Slot[]
}

/**
 * What a join leads to. As with an `EventHandler`, one may work on several joins at once: keep what belongs to one out of
 * `this`.
 * @typeParam Slot the names of the join's slots
 */
export abstract class JoinHandler<Slot extends string = string> {
  /**
   * Does the work for the events of one join; rejects when it failed. A task may be repeated after a crash: from the
   * beginning, with the same events.
   * @param joined the events, by slot
   * @param context the task that this run belongs to, and all that a handler may use
   */
  abstract handle(joined: JoinedEvents<Slot>, context: TaskContext): Promise<void>
}
