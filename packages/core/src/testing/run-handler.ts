/**
 * Runs a handler on one event, here, with no services: its files come from a folder, its bundles go to one. What became
 * of it is plain data, for the assertions of whatever test runner.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Event } from '../events/event.ts'
import { type Dispatcher, isDispatcher } from '../handlers/define-dispatcher.ts'
import type { EventHandler } from '../handlers/event-handler.ts'
import type { Progress, TaskLog } from '../handlers/task-context.ts'
import { RouteNotFoundRouterError } from '../routing/errors.ts'
import { explainRoutes, type RouteReport } from '../routing/explain-routes.ts'
import type { TransferProgress } from '../transfer/deadline.ts'
import { BundleCollector, readyForBundles } from './bundle-collector.ts'
import { dataFolder, type GivenData, GivenDataRunner } from './given-data.ts'
import { type GivenEvent, readEvent } from './given-event.ts'
import { inTime, RunStop } from './in-time.ts'
import type { Bundle } from './read-bundle.ts'
import { withEnvironment } from './with-environment.ts'

/** A line of the handler's log. */
export interface LogLine {
  /** Which method of the log it came by. */
  readonly level: 'info' | 'warn' | 'error'
  /** The name of what happened. */
  readonly message: string
  /** What belongs to it. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** How far a transfer is. */
export interface Transfer extends TransferProgress {
  /** Which way. */
  readonly kind: 'download' | 'upload'
}

/** What a handler is run on, and how. */
export interface RunHandlerOptions {
  /** Its file, the object itself, or an `Event`. */
  readonly event: GivenEvent
  /** The folder that holds the event's files at `data/<subdir>/<name>`, or their contents by path. */
  readonly data?: GivenData
  /**
   * Where bundles are kept, as `bundle-1.tar` and unpacked in `bundle-1/`; those of an earlier run are removed. Unless
   * given they go with the scratch folder.
   */
  readonly out?: string | URL
  /** Aborts the handler's signal after so many milliseconds. */
  readonly timeoutMs?: number
  /** Aborts the handler's signal. */
  readonly signal?: AbortSignal
  /** Milliseconds that the handler has after its signal aborted, before it is no longer waited for. 10 000, as in the service. */
  readonly graceMs?: number
  /** Variables that the handler sees in `process.env`, put back afterwards: one run at a time in a process. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Told of each line of the log as it comes. */
  readonly onLog?: (line: LogLine) => void
  /** Told what the handler says of its progress. */
  readonly onProgress?: (progress: Progress) => void
  /** Told how far downloads and uploads are. */
  readonly onTransfer?: (transfer: Transfer) => void
}

/** What became of a run. */
export interface HandlerRun {
  /** `no-route`: no route of the dispatcher matches, and `routes` says why. */
  readonly outcome: 'done' | 'failed' | 'no-route' | 'timed-out' | 'aborted'
  /** What the handler threw, or why none was found; undefined when it is done. */
  readonly error: Error | undefined
  /** Which route got the event, the first being 1; undefined for a handler without a dispatcher. */
  readonly route: number | undefined
  /** Why no route matched; empty when one did. */
  readonly routes: readonly RouteReport[]
  /** What was uploaded, in order. */
  readonly bundles: readonly Bundle[]
  /** What the handler logged, in order. */
  readonly log: readonly LogLine[]
  /** What the handler said of its progress. */
  readonly progress: readonly Progress[]
  /** Milliseconds. */
  readonly durationMs: number
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
  const scratch = await mkdtemp(join(tmpdir(), 'pacifica-run-'))
  try {
    return await withEnvironment(options.env ?? {}, () => run(subject, event, options, scratch))
  } finally {
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function run(
  subject: Dispatcher | EventHandler,
  event: Event,
  options: RunHandlerOptions,
  scratch: string,
): Promise<HandlerRun> {
  const [folder, given] = [join(scratch, 'task'), join(scratch, 'given')]
  await Promise.all([mkdir(folder), mkdir(given)])
  const told = (kind: Transfer['kind']) => (progress: TransferProgress) =>
    options.onTransfer?.({ kind, ...progress })
  const downloader = new GivenDataRunner(await dataFolder(options.data, given), told('download'))
  const uploader = await collectorFor(options, join(scratch, 'bundles'), told('upload'))
  const log: LogLine[] = []
  const progress: Progress[] = []
  const stop = new RunStop(options)
  const found: Found = { route: undefined }
  const began = performance.now()
  const error = await inTime(stop, async (signal) => {
    await handlerOf(subject, event, found).handle(event, {
      ...{ taskId: 'run-here', signal, folder, downloader, uploader, provenance: [] },
      log: logInto(log, options.onLog),
      progress: (now) => {
        progress.push(now)
        options.onProgress?.(now)
      },
    })
  })
  const durationMs = performance.now() - began
  const noRoute = error instanceof RouteNotFoundRouterError && found.route === 'none'
  return {
    outcome: noRoute ? 'no-route' : stop.outcomeOf(error),
    error,
    route: found.route === 'none' ? undefined : found.route,
    routes: noRoute ? explainRoutes((subject as Dispatcher).router.routes, event) : [],
    ...{ bundles: uploader.bundles, log, progress, durationMs },
  }
}

interface Found {
  route: number | 'none' | undefined
}

function handlerOf(
  subject: Dispatcher | EventHandler,
  event: Event,
  found: Found,
): Pick<EventHandler, 'handle'> {
  if (!isDispatcher(subject)) return subject
  const { routes } = subject.router
  const index = routes.findIndex((route) => route.match(event))
  found.route = index < 0 ? 'none' : index + 1
  const route = routes[index]
  if (route === undefined) throw new RouteNotFoundRouterError(event)
  return route.handler
}

async function collectorFor(
  { out }: RunHandlerOptions,
  scratch: string,
  told: (progress: TransferProgress) => void,
): Promise<BundleCollector> {
  const kept = out !== undefined
  const folder = out instanceof URL ? fileURLToPath(out) : resolve(out ?? scratch)
  await readyForBundles(folder)
  return new BundleCollector({ folder, kept, told })
}

function logInto(lines: LogLine[], onLog: RunHandlerOptions['onLog']): TaskLog {
  const at =
    (level: LogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      const line = { level, message, fields }
      lines.push(line)
      onLog?.(line)
    }
  return { info: at('info'), warn: at('warn'), error: at('error') }
}
