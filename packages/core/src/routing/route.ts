import { type CompiledPath, compile, type Dialect } from '@pacifica/jsonpath'
import type { Event, Projection } from '../events/event.ts'
import type { EventHandler } from '../handlers/event-handler.ts'

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
  readonly path: CompiledPath
  readonly handler: EventHandler
  readonly version: Projection
  readonly allowLoops: boolean

  /** Compiles the path, once. Throws `JsonPathSyntaxError` or `JsonPathLimitError`. */
  constructor(path: string, handler: EventHandler, options: RouteOptions = {}) {
    this.path = compile(path, { dialect: options.dialect ?? 'jsonpath2' })
    this.handler = handler
    this.version = options.version ?? 'v0.1'
    this.allowLoops = options.allowLoops ?? false
  }

  /** Throws `JsonPathLimitError` when the path does too much work on this event. */
  match(event: Event): boolean {
    return this.path.test(event.project(this.version))
  }
}
