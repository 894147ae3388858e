import { type CompiledPath, compile, type Dialect } from '@pacifica/jsonpath'
import type { Event, Projection } from '../events/event.ts'
import type { EventHandler } from '../handlers/event-handler.ts'

/** How a path is read, and whether its handler may meet its own results. */
export interface RouteOptions {
  /** The projection that the path is matched on; `v0.1`, the names Metadata uses, unless given. */
  readonly version?: Projection
  /** The language of the path; `jsonpath2` unless given. */
  readonly dialect?: Dialect
  /**
   * Also takes events about results of this dispatcher, or of others made from them, and events about data that has been
   * through more than 8 dispatchers: the loop guard refuses both. False unless given; see to it that the loop ends.
   */
  readonly allowLoops?: boolean
}

/** A path and the handler for the events in which it selects something. */
export class Route {
  /** The compiled path; `path.text` is what the author wrote. */
  readonly path: CompiledPath
  /** What an event goes to when the path selects something in it. */
  readonly handler: EventHandler
  /** The names that the path sees. */
  readonly version: Projection
  /** Whether the loop guard lets results of this very dispatcher pass. */
  readonly allowLoops: boolean

  /**
   * Compiles the path, once. Throws `JsonPathSyntaxError` or `JsonPathLimitError`.
   * @param path a JSONPath
   * @param handler for the events in which it selects something
   * @param options the language, the names, and loops
   */
  constructor(path: string, handler: EventHandler, options: RouteOptions = {}) {
    this.path = compile(path, { dialect: options.dialect ?? 'jsonpath2' })
    this.handler = handler
    this.version = options.version ?? 'v0.1'
    this.allowLoops = options.allowLoops ?? false
  }

  /**
   * Throws `JsonPathLimitError` when the path does too much work on this event.
   * @param event the event; nothing of it is kept
   */
  match(event: Event): boolean {
    return this.path.test(event.project(this.version))
  }
}
