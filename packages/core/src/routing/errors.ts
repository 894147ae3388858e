import type { Event } from '../events/event.ts'

/** No handler can be chosen for an event. */
export class RouterError extends Error {
  override readonly name: string = 'RouterError'
  readonly code: string = 'ROUTER'
  /** The event that nobody took. */
  readonly event: Event

  constructor(message: string, event: Event) {
    super(message)
    this.event = event
  }
}

/** No route matches. The message is the original's. */
export class RouteNotFoundRouterError extends RouterError {
  override readonly name = 'RouteNotFoundRouterError'
  override readonly code = 'ROUTE_NOT_FOUND'

  constructor(event: Event) {
    super('route not found', event)
  }
}
