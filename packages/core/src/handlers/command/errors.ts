/** The author's options cannot be used; the message lists all mistakes. */
export class CommandOptionsError extends Error {
  override readonly name = 'CommandOptionsError'
  readonly code = 'COMMAND_OPTIONS'
  /** One sentence each. */
  readonly mistakes: readonly string[]

  constructor(mistakes: readonly string[]) {
    super(`this CommandHandler cannot be used: ${mistakes.join('; ')}`)
    this.mistakes = mistakes
  }
}

/** The executable could not be started at all. */
export class CommandNotStartedError extends Error {
  override readonly name = 'CommandNotStartedError'
  readonly code = 'COMMAND_NOT_STARTED'

  constructor(command: string, reason: string, options?: ErrorOptions) {
    super(`${command} cannot be started: ${reason}`, options)
  }
}

/** The executable ended with something else than 0, or by a signal. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError'
  readonly code = 'COMMAND_FAILED'
  /** From 1 to 255; undefined when a signal ended it. */
  readonly exitCode: number | undefined
  /** Such as `SIGKILL`; undefined when it ended by itself. */
  readonly signal: string | undefined
  /** The end of what it wrote to stderr. */
  readonly stderr: string

  constructor(command: string, ended: CommandEnd, stderr: string) {
    const { exitCode, signal } = ended
    const how = signal === undefined ? `ended with exit code ${exitCode}` : `was ended by ${signal}`
    super(`${command} ${how}${endOf(stderr)}`)
    this.exitCode = exitCode
    this.signal = signal
    this.stderr = stderr
  }
}

/** Either of the two. */
export interface CommandEnd {
  /** From 0 to 255; undefined when a signal ended it. */
  readonly exitCode: number | undefined
  /** Such as `SIGKILL`; undefined when it ended by itself. */
  readonly signal: string | undefined
}

/** The executable ran for longer than the handler's `timeout` and was ended. */
export class CommandTimeoutError extends Error {
  override readonly name = 'CommandTimeoutError'
  readonly code = 'COMMAND_TIMEOUT'

  constructor(command: string, timeoutMs: number, stderr: string) {
    super(`${command} ran for longer than its timeout of ${timeoutMs} ms${endOf(stderr)}`)
  }
}

/** The executable wrote more than the handler's `maxBytes`. */
export class CommandTooLargeError extends Error {
  override readonly name = 'CommandTooLargeError'
  readonly code = 'COMMAND_TOO_LARGE'
  /** How many were there when it was looked. */
  readonly bytes: number
  /** How many were allowed. */
  readonly maxBytes: number

  constructor(command: string, bytes: number, maxBytes: number) {
    super(
      `${command} has written ${bytes} bytes to DST, its TMPDIR and its kept output; its maxBytes is ${maxBytes}`,
    )
    this.bytes = bytes
    this.maxBytes = maxBytes
  }
}

/** What the executable left behind cannot be handed in. */
export class CommandResultError extends Error {
  override readonly name = 'CommandResultError'
  readonly code = 'COMMAND_RESULT'

  constructor(command: string, reason: string, options?: ErrorOptions) {
    super(`the result of ${command} cannot be handed in: ${reason}`, options)
  }
}

function endOf(stderr: string): string {
  return stderr === '' ? '; it wrote nothing to stderr' : `; the end of its stderr:\n${stderr}`
}
