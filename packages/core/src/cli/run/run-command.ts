/** `run`: one event, once, here. */
import { relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { readEvent } from '../../testing/given-event.ts'
import { type HandlerRun, runHandler } from '../../testing/run-handler.ts'
import { type Command, EXIT } from '../command.ts'
import { UsageError } from '../errors.ts'
import { loadModule } from '../load-module.ts'
import { showRoutes } from '../routes/show-routes.ts'
import { showEvent } from '../show-event.ts'
import { progressBars } from './progress-bars.ts'
import { progressLines } from './progress-lines.ts'
import { showRun } from './show-run.ts'

export const runCommand: Command = {
  usage:
    '  pacifica-dispatcher run --event FILE [--data DIR] --out DIR [--timeout SECONDS] [MODULE]',
  async run(argv, { folder, out, errors, signal }) {
    const { event: file, data, out: target, timeoutMs, module } = read(argv)
    const at = (path: string) => resolve(folder, path)
    const event = await readEvent(at(file))
    const loaded = await loadModule(module, folder)
    errors.write(`${showEvent(event, loaded)}\n`)
    const shown = errors.isTTY ? progressBars(errors) : progressLines(errors)
    const run = await runHandler(loaded.dispatcher, {
      ...{ event, out: at(target), signal, onLog: shown.log },
      ...{ onProgress: shown.progress, onTransfer: shown.transfer },
      ...(data === undefined ? {} : { data: at(data) }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
    }).finally(shown.close)
    if (run.outcome === 'no-route') out.write(`\nno route matches\n\n${showRoutes(run.routes)}`)
    else out.write(showRun(run, (path) => relative(folder, path)))
    return EXIT_OF[run.outcome]
  },
}

const EXIT_OF: Readonly<Record<HandlerRun['outcome'], number>> = {
  done: EXIT.done,
  failed: EXIT.failed,
  'timed-out': EXIT.failed,
  'no-route': EXIT.noRoute,
  aborted: EXIT.interrupted,
}

function read(argv: readonly string[]) {
  const text = { type: 'string' } as const
  const { values, positionals } = parseArgs({
    args: [...argv],
    options: { event: text, data: text, out: text, timeout: text },
    allowPositionals: true,
  })
  const { event, data, out, timeout } = values
  if (event === undefined) throw new UsageError('say which event: --event FILE')
  if (out === undefined) throw new UsageError('say where bundles go: --out DIR')
  const [module = '.', ...others] = positionals
  if (others.length > 0) throw new UsageError(`one module, not also ${others.join(', ')}`)
  const seconds = timeout === undefined ? undefined : Number(timeout)
  if (seconds !== undefined && !(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new UsageError(`--timeout is a number of seconds, not ${JSON.stringify(timeout)}`)
  }
  const timeoutMs = seconds === undefined ? undefined : seconds * 1000
  return { event, data, out, timeoutMs, module }
}

/** A timer that is asked to wait longer fires at once. */
const MOST_SECONDS = 2_000_000
