/** Which route gets an event, and why the others do not: what `routes` shows, and a test that found no route. Pure. */
import { compile, type Dialect, type Explanation, explain, type Warning } from '@pacifica/jsonpath'
import type { Event, Projection } from '../events/event.ts'
import type { Route } from './route.ts'

/** What a route makes of an event. */
export interface RouteReport {
  /** 1 for the one that is tried first. */
  readonly number: number
  /** The path as it was written. */
  readonly path: string
  /** The language of the path. */
  readonly dialect: Dialect
  /** Under which names the path sees the event. */
  readonly version: Projection
  /** It is the first that matches, so its handler gets the event. */
  readonly chosen: boolean
  /** What the path selects, or the first part of it that selects nothing. */
  readonly explanation: Explanation
  /** What in the path often means something else. */
  readonly warnings: readonly Warning[]
}

/**
 * One report for each route, in the order in which they are tried. Never throws.
 * @param routes `dispatcher.router.routes`
 * @param event the event
 */
export function explainRoutes(routes: readonly Route[], event: Event): RouteReport[] {
  const reports = routes.map((route, index) => ({ number: index + 1, ...reportOf(route, event) }))
  const first = reports.find(({ explanation }) => explanation.matches === true)
  return reports.map((report) => ({ ...report, chosen: report === first }))
}

function reportOf({ path: { text, dialect }, version }: Route, event: Event) {
  // Compiled here: the route may come from another copy of this package, whose errors are of other classes.
  const compiled = compile(text, { dialect })
  const explanation = explain(compiled, event.project(version))
  return { path: text, dialect, version, explanation, warnings: compiled.warnings }
}
