/** `@pacifica/core/testing`: a handler on an event file and a folder, with no services. */
export {
  explainJoins,
  type JoinReport,
  type NoKey,
  type SlotReport,
} from '../joins/explain-joins.ts'
export { explainRoutes, type RouteReport } from '../routing/explain-routes.ts'
export {
  DataFolderError,
  EventFileError,
  EventsApartError,
  JoinIncompleteError,
  JoinWaitsError,
  RunTimeoutError,
  SignalIgnoredError,
} from './errors.ts'
export { type ExampleEventOptions, exampleEvent } from './example-event.ts'
export type { EventPlace } from './gather-events.ts'
export type { Contents, GivenData } from './given-data.ts'
export type { GivenEvent } from './given-event.ts'
export type { GivenJoinData } from './join-data.ts'
export type { Bundle, BundledFile } from './read-bundle.ts'
export { type HandlerRun, type RunHandlerOptions, runHandler } from './run-handler.ts'
export type { LogLine, RunOptions, RunOutcome, RunResult, Transfer } from './run-here.ts'
export {
  type JoinRun,
  type RunJoinHandlerOptions,
  type RunJoinOptions,
  runJoin,
} from './run-join.ts'
