/** The log of a process: JSON lines on standard output, one wide line per outcome, nothing secret in them. */
import { type DestinationStream, destination, type Logger, pino } from 'pino'
import { errorForLog } from './log-error.ts'
import { maskCredentials, redact } from './redact.ts'
import { turnWriter } from './turn-writer.ts'

/** `log.info({ event, ms }, 'event.accepted')`: the members first, then the name of the outcome. */
export type Log = Logger

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The level may be changed later: `log.level = 'debug'`; children that exist by then keep theirs. */
export function createLog(options: {
  name: string
  level: LogLevel
  destination?: DestinationStream
}): Log {
  const log = pino(
    {
      name: options.name,
      level: options.level,
      timestamp: isoTime(),
      serializers: { err: errorForLog, error: errorForLog, cause: errorForLog },
      formatters: {
        level: (label) => ({ level: label }),
        log: redact,
      },
      hooks: { streamWrite: maskCredentials },
    },
    options.destination ?? turnWriter(destination({ dest: 1, sync: true })),
  )
  redactChildren(log)
  return log
}

/** As pino writes it. Many lines fall into one millisecond, and its text is a good part of a line's cost. */
function isoTime(): () => string {
  let at = Number.NaN
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) text = `,"time":"${new Date(now).toISOString()}"`
    at = now
    return text
  }
}

/** Pino formats the members of a line, but not those that a child was made with. Children inherit this `child`. */
function redactChildren(log: Log): void {
  const { child } = log
  log.child = function redacted(this: Log, bindings, options) {
    return child.call(this, redact(bindings), options)
  } as Log['child']
}

/**
 * The level that a text names, else `info`: for a process's log before its configuration is read, which reports a wrong
 * level with all other mistakes.
 */
export function logLevelOf(given: string | undefined): LogLevel {
  return LOG_LEVELS.find((level) => level === given) ?? 'info'
}
