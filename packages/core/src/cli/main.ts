/** pacifica-dispatcher. Reads the command line and the signals, which nothing else here does. */
import { EXIT } from './command.ts'
import { InterruptedError } from './errors.ts'
import { runCli } from './run-cli.ts'

const LEFT_OPEN_MS = 1_000

// An author's stack traces name lines of their own TypeScript.
process.setSourceMapsEnabled(true)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (stop.signal.aborted) process.exit(EXIT.interrupted)
    stop.abort(new InterruptedError(signal))
  })
}

// Without a word Node would end with 13. In the service the task would run until its time is up.
const nothingLeft = () => {
  process.stderr.write(
    'the handler, or its module, waits for something that never comes: no timer, no file, no connection is left that could wake it\n',
  )
  process.exit(EXIT.failed)
}
process.once('beforeExit', nothingLeft)

process.exitCode = await runCli(process.argv.slice(2), {
  folder: process.cwd(),
  out: process.stdout,
  errors: process.stderr,
  signal: stop.signal,
})
process.off('beforeExit', nothingLeft)
// A module that has left a timer or a connection open does not keep the command from ending.
setTimeout(() => process.exit(), LEFT_OPEN_MS).unref()
