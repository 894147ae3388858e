/** `@pacifica/core/testing`: a handler on an event file and a folder, with no services. */
export { explainRoutes, type RouteReport } from '../routing/explain-routes.ts'
export {
  DataFolderError,
  EventFileError,
  RunTimeoutError,
  SignalIgnoredError,
} from './errors.ts'
export { type ExampleEventOptions, exampleEvent } from './example-event.ts'
export type { Contents, GivenData } from './given-data.ts'
export type { GivenEvent } from './given-event.ts'
export type { Bundle, BundledFile } from './read-bundle.ts'
export {
  type HandlerRun,
  type LogLine,
  type RunHandlerOptions,
  runHandler,
  type Transfer,
} from './run-handler.ts'
