/**
 * Runs a handler on one event, here, with no services: its files come from a folder, its bundles go to one. What became
 * of it is plain data, for the assertions of whatever test runner.
 */
import type { Event } from '../events/event.ts'
import { type Dispatcher, isDispatcher } from '../handlers/define-dispatcher.ts'
import type { EventHandler } from '../handlers/event-handler.ts'
import { placeOf } from '../joins/place.ts'
import { RouteNotFoundRouterError } from '../routing/errors.ts'
import { explainRoutes, type RouteReport } from '../routing/explain-routes.ts'
import { JoinWaitsError } from './errors.ts'
import { dataFolder, type GivenData, GivenDataRunner } from './given-data.ts'
import { type GivenEvent, readEvent } from './given-event.ts'
import { type RunOptions, type RunOutcome, type RunResult, runHere } from './run-here.ts'

/** What a handler is run on, and how. */
export interface RunHandlerOptions extends RunOptions {
  /** Its file, the object itself, or an `Event`. */
  readonly event: GivenEvent
  /** The folder that holds the event's files at `data/<subdir>/<name>`, or their contents by path. */
  readonly data?: GivenData
}

/** What became of a run. */
export interface HandlerRun extends RunResult {
  /**
   * `no-route`: no route of the dispatcher matches, and `routes` says why. `waits`: the event is for a join, and `error`, a
   * `JoinWaitsError`, says for what it would wait: `runJoin` runs those.
   */
  readonly outcome: RunOutcome | 'no-route' | 'waits'
  /** What the handler threw, or why none was found; undefined when it is done. */
  readonly error: Error | undefined
  /** Which route got the event, the first being 1; undefined for a handler without a dispatcher. */
  readonly route: number | undefined
  /** Why no route matched; empty when one did. */
  readonly routes: readonly RouteReport[]
}

/**
 * Runs what a dispatcher's first matching route leads to, or a handler itself. What the handler does wrong is in the
 * result. Throws `EventFileError` or `EventFormatError` when there is no event to run on. The scratch folder is removed,
 * whatever happens.
 * @param subject a dispatcher, or one of its handlers
 * @param options the event, its files, and what is kept
 */
export async function runHandler(
  subject: Dispatcher | EventHandler,
  options: RunHandlerOptions,
): Promise<HandlerRun> {
  const event = await readEvent(options.event)
  const found: Found = { route: undefined, instead: undefined }
  const ran = await runHere(options, {
    downloader: async (given, told) =>
      new GivenDataRunner(await dataFolder(options.data, given), told),
    handle: async (context) => handlerOf(subject, event, found).handle(event, context),
  })
  const { instead = ran.outcome, route } = found
  const explained = instead === 'no-route' && isDispatcher(subject)
  const routes = explained ? explainRoutes(subject.router.routes, event) : []
  return { ...ran, outcome: instead, route, routes }
}

interface Found {
  route: number | undefined
  /** Why no handler was found. */
  instead: 'no-route' | 'waits' | undefined
}

/** Joins first, as in the service. */
function handlerOf(
  subject: Dispatcher | EventHandler,
  event: Event,
  found: Found,
): Pick<EventHandler, 'handle'> {
  if (!isDispatcher(subject)) return subject
  const place = placeOf(subject.joins ?? [], event)
  if (place !== undefined) {
    found.instead = 'waits'
    throw new JoinWaitsError(place.join, place.key, [place.slot])
  }
  const { routes } = subject.router
  const index = routes.findIndex((route) => route.match(event))
  const route = routes[index]
  if (route === undefined) {
    found.instead = 'no-route'
    throw new RouteNotFoundRouterError(event)
  }
  found.route = index + 1
  return route.handler
}
