import type { Event } from '../events/event.ts'
import type { TaskContext } from './task-context.ts'

/**
 * What a route leads to. One handler may work on several events at once: keep what belongs to one event out of `this`.
 * @example
 * ```ts
 * import { type Event, EventHandler, File, type TaskContext } from '@pacifica/core'
 *
 * export class Listing extends EventHandler {
 *   override async handle(event: Event, { log, signal }: TaskContext): Promise<void> {
 *     for (const file of File.fromEvent(event)) {
 *       signal.throwIfAborted()
 *       log.info('file.seen', { path: file.path })
 *     }
 *   }
 * }
 * ```
 */
export abstract class EventHandler {
  /**
   * Does the work for one event; rejects when it failed. A task may be repeated after a crash: from the beginning.
   * @param event what happened
   * @param context the task that this run belongs to, and all that a handler may use
   */
  abstract handle(event: Event, context: TaskContext): Promise<void>
}
