import type { Event } from '../events/event.ts'
import type { EventHandler } from '../handlers/event-handler.ts'
import { RouteNotFoundRouterError } from './errors.ts'
import { Route, type RouteOptions } from './route.ts'

/** Routes in the order in which they were added; the first that matches gets the event. */
export class Router {
  readonly #routes: Route[] = []

  /** All of them, in the order in which they are tried. */
  get routes(): readonly Route[] {
    return this.#routes
  }

  /**
   * Throws `JsonPathSyntaxError` or `JsonPathLimitError` when the path cannot be compiled.
   * @param path a JSONPath; events in which it selects something are for the handler
   * @param handler what they go to
   * @param options the language of the path, the names it sees, and loops
   * @returns the new route, which is tried after those that are there
   */
  addRoute(path: string, handler: EventHandler, options: RouteOptions = {}): Route {
    const route = new Route(path, handler, options)
    this.#routes.push(route)
    return route
  }

  /**
   * The first route that matches, if there is one.
   * Throws `JsonPathLimitError` when a path does too much work on it.
   * @param event the event to be routed
   */
  findRoute(event: Event): Route | undefined {
    return this.#routes.find((route) => route.match(event))
  }

  /**
   * The handler of the first route that matches. Throws `RouteNotFoundRouterError`.
   * @param event the event to be routed
   */
  match(event: Event): EventHandler {
    const route = this.findRoute(event)
    if (route) return route.handler
    throw new RouteNotFoundRouterError(event)
  }
}
