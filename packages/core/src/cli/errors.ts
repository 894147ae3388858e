/** What ends a command before it has done anything: one line, and what to do. */

/** The command line is wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  readonly code = 'CLI_USAGE'
}

/** There is no dispatcher in the module that was named, or it cannot be loaded. */
export class ModuleError extends Error {
  override readonly name = 'ModuleError'
  readonly code = 'CLI_MODULE'
}

/** A project cannot be made. */
export class InitError extends Error {
  override readonly name = 'InitError'
  readonly code = 'CLI_INIT'
}

/** Ctrl-C, or another signal: the reason that the handler's signal has. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly code = 'CLI_INTERRUPTED'

  constructor(signal: string) {
    super(`ended by ${signal}`)
  }
}
