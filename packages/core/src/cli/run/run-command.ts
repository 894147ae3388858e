/** `run`: one event, or those of a join, once, here. */
import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Event } from '../../events/event.ts'
import type { Dispatcher } from '../../handlers/define-dispatcher.ts'
import { explainJoins } from '../../joins/explain-joins.ts'
import { placeOf } from '../../joins/place.ts'
import { readEvent } from '../../testing/given-event.ts'
import { type HandlerRun, runHandler } from '../../testing/run-handler.ts'
import { type JoinRun, runJoin } from '../../testing/run-join.ts'
import { type Command, type CommandNeeds, EXIT } from '../command.ts'
import { UsageError } from '../errors.ts'
import { loadModule } from '../load-module.ts'
import { showJoins } from '../routes/show-joins.ts'
import { showRoutes } from '../routes/show-routes.ts'
import { showEvents } from '../show-event.ts'
import { progressBars } from './progress-bars.ts'
import { progressLines } from './progress-lines.ts'
import { showJoinRun, showRun } from './show-run.ts'

export const runCommand: Command = {
  usage: `  pacifica-dispatcher run --event FILE [--data DIR] --out DIR [--timeout SECONDS] [MODULE]
  pacifica-dispatcher run --event FILE --event FILE … [--at-deadline] …   the events of a join`,
  async run(argv, needs) {
    const asked = read(argv)
    const { folder, errors } = needs
    const files = asked.events.map((file) => resolve(folder, file))
    const events = await Promise.all(files.map(readEvent))
    const loaded = await loadModule(asked.module, folder)
    errors.write(`${showEvents(events, loaded)}\n`)
    return await runThem(events, loaded.dispatcher, asked, needs)
  },
}

type Asked = ReturnType<typeof read>

/** Several events are for a join, as one may be; else it is for a route. */
async function runThem(
  events: readonly Event[],
  dispatcher: Dispatcher,
  { data, out: target, timeoutMs, atDeadline }: Asked,
  { folder, out, errors, signal }: CommandNeeds,
): Promise<number> {
  const at = (path: string) => resolve(folder, path)
  const short = (path: string) => relative(folder, path)
  const [event, ...others] = events as [Event, ...Event[]]
  const joins = others.length > 0 || isForJoin(dispatcher, event)
  if (atDeadline && !joins) throw new UsageError('--at-deadline is for the events of a join')
  const shown = errors.isTTY ? progressBars(errors) : progressLines(errors)
  const options = {
    ...{ out: at(target), signal, onLog: shown.log },
    ...{ onProgress: shown.progress, onTransfer: shown.transfer },
    ...(data === undefined ? {} : { data: at(data) }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
  if (joins) {
    const run = await runJoin(dispatcher, { ...options, events, atDeadline }).finally(shown.close)
    out.write(showJoinRun(run, short))
    return EXIT_OF[run.outcome]
  }
  const run = await runHandler(dispatcher, { ...options, event }).finally(shown.close)
  if (run.outcome === 'no-route') out.write(noRoute(dispatcher, event, run))
  else out.write(showRun(run, short))
  return EXIT_OF[run.outcome]
}

/** An event without a key is for none: it fails, as in the service. */
function isForJoin({ joins = [] }: Dispatcher, event: Event): boolean {
  try {
    return placeOf(joins, event) !== undefined
  } catch {
    return false
  }
}

function noRoute({ joins = [] }: Dispatcher, event: Event, { routes }: HandlerRun): string {
  const shown = [showJoins(explainJoins(joins, event)), showRoutes(routes)]
  const what = joins.length === 0 ? 'no route matches' : 'no join and no route takes the event'
  return `\n${what}\n\n${shown.filter((text) => text !== '').join('\n')}`
}

const EXIT_OF: Readonly<Record<(HandlerRun | JoinRun)['outcome'], number>> = {
  done: EXIT.done,
  failed: EXIT.failed,
  'timed-out': EXIT.failed,
  'no-route': EXIT.noRoute,
  apart: EXIT.noRoute,
  waits: EXIT.waits,
  aborted: EXIT.interrupted,
}

function read(argv: readonly string[]) {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: {
      event: { ...text, multiple: true },
      ...{ data: text, out: text, timeout: text, 'at-deadline': { type: 'boolean' } },
    },
    allowPositionals: true,
  })
  const { event: events = [], data, out, timeout, 'at-deadline': atDeadline = false } = values
  if (events.length === 0) throw new UsageError('say which event: --event FILE')
  if (out === undefined) throw new UsageError('say where bundles go: --out DIR')
  const [module = '.', ...others] = positionals
  if (others.length > 0) throw new UsageError(`one module, not also ${others.join(', ')}`)
  const seconds = timeout === undefined ? undefined : Number(timeout)
  if (seconds !== undefined && !(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new UsageError(`--timeout is a number of seconds, not ${JSON.stringify(timeout)}`)
  }
  const timeoutMs = seconds === undefined ? undefined : seconds * 1000
  return { events, data, out, timeoutMs, atDeadline, module }
}

/** A timer that is asked to wait longer fires at once. */
const MOST_SECONDS = 2_000_000
