/** What a dispatcher is: a name and routes. `DISPATCHER_MODULE`'s default export is what `defineDispatcher` returns. */
import { DISPATCHER_NAME_PATTERN } from '../events/dispatcher-name.ts'
import { compileJoins } from '../joins/compile-join.ts'
import type { Join, JoinDefinition } from '../joins/join.ts'
import { pathMistake } from '../routing/path-mistake.ts'
import type { RouteOptions } from '../routing/route.ts'
import { Router } from '../routing/router.ts'
import type { EventHandler } from './event-handler.ts'

/** Which events, and what is done with them. */
export interface RouteDefinition extends RouteOptions {
  /** A JSONPath; events in which it selects something go to the handler. */
  readonly path: string
  /** Made once; it gets every event of the route. */
  readonly handler: EventHandler
}

/** What an author says of a dispatcher. */
export interface DispatcherDefinition {
  /** Subscriptions name it: `dispatch://<name>`. */
  readonly name: string
  /** In the order in which they are tried. May be empty when there are joins. */
  readonly routes: readonly RouteDefinition[]
  /** Events that wait for others: see `defineJoin`. An event goes to the first of these that wants it, else to a route. */
  readonly joins?: readonly JoinDefinition[]
}

/** A dispatcher whose definition has been checked. Only `defineDispatcher` makes one. */
export interface Dispatcher {
  /** From 1 to 64 of a-z, 0-9 and -: subscriptions name it, `dispatch://<name>`. */
  readonly name: string
  /** Its routes, compiled, in the order in which they are tried. */
  readonly router: Router
  /** Tried before the routes, in this order. */
  readonly joins: readonly Join[]
}

/** A dispatcher's definition has mistakes; the message lists all of them. */
export class DispatcherDefinitionError extends Error {
  override readonly name = 'DispatcherDefinitionError'
  readonly code = 'DISPATCHER_DEFINITION'
  /** One sentence each; a route is named by its place, `routes[0].path`. */
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(`this dispatcher cannot be used: ${mistakes.join('; ')}`)
    this.mistakes = mistakes
  }
}

/**
 * Checks the definition and compiles its paths. Throws `DispatcherDefinitionError`.
 * @param definition the name, and one route or more
 * @example
 * ```ts
 * import { defineDispatcher, NoopEventHandler } from '@pacifica/core'
 *
 * export default defineDispatcher({
 *   name: 'spectra',
 *   routes: [
 *     {
 *       path: '$[?(@["eventType"] = "org.pacifica.metadata.ingest")]',
 *       handler: new NoopEventHandler(),
 *     },
 *   ],
 * })
 * ```
 */
export function defineDispatcher(definition: DispatcherDefinition): Dispatcher {
  const { name, routes, joins: given = [] } = definition
  const router = new Router()
  const mistakes: string[] = []
  if (typeof name !== 'string' || !DISPATCHER_NAME_PATTERN.test(name)) {
    mistakes.push(`name must be 1 to 64 of a-z, 0-9 and -, not ${JSON.stringify(name)}`)
  }
  const { joins, mistakes: inJoins } = compileJoins(given)
  if (!Array.isArray(routes) || (routes.length === 0 && joins.length === 0)) {
    mistakes.push('routes must list at least one')
  } else {
    for (const [index, route] of routes.entries()) {
      mistakes.push(...addRoute(router, route, `routes[${index}]`))
    }
  }
  mistakes.push(...inJoins)
  if (mistakes.length > 0) throw new DispatcherDefinitionError(mistakes)
  return { name, router, joins }
}

/**
 * True for what `defineDispatcher` returns, also when it comes from another copy of this package.
 * @param value anything, such as the default export of a module
 */
export function isDispatcher(value: unknown): value is Dispatcher {
  if (typeof value !== 'object' || value === null) return false
  const { name, router } = value as Partial<Dispatcher>
  return typeof name === 'string' && typeof router?.match === 'function'
}

/** Returns what is wrong with the route. */
function addRoute(router: Router, route: RouteDefinition, place: string): string[] {
  const mistakes: string[] = []
  if (typeof route.handler?.handle !== 'function') {
    mistakes.push(`${place}.handler must be an EventHandler`)
  }
  if (route.version !== undefined && route.version !== 'v0.1' && route.version !== 'v1.0') {
    mistakes.push(`${place}.version must be v0.1 or v1.0, not ${JSON.stringify(route.version)}`)
  }
  if (route.allowLoops !== undefined && typeof route.allowLoops !== 'boolean') {
    mistakes.push(
      `${place}.allowLoops must be true or false, not ${JSON.stringify(route.allowLoops)}`,
    )
  }
  if (typeof route.path !== 'string') return [...mistakes, `${place}.path must be a JSONPath`]
  try {
    router.addRoute(route.path, route.handler, route)
  } catch (error) {
    mistakes.push(pathMistake(error, `${place}.path`))
  }
  return mistakes
}
