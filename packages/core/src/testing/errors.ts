/** What can be wrong with what a run is given, and why it was ended. */

/** The event cannot be read from its file, or what stands there is no event. */
export class EventFileError extends Error {
  override readonly name = 'EventFileError'
  readonly code = 'EVENT_FILE'
}

/** The handler wants files, and there is no folder that they could lie in. */
export class DataFolderError extends Error {
  override readonly name = 'DataFolderError'
  readonly code = 'DATA_FOLDER'
}

/** The run took longer than `timeoutMs`: the signal's reason. */
export class RunTimeoutError extends Error {
  override readonly name = 'RunTimeoutError'
  readonly code = 'RUN_TIMEOUT'

  constructor(timeoutMs: number) {
    super(`the handler was not done after ${timeoutMs} ms`)
  }
}

/** The handler went on although its signal had aborted. The service would have killed its process by then. */
export class SignalIgnoredError extends Error {
  override readonly name = 'SignalIgnoredError'
  readonly code = 'SIGNAL_IGNORED'

  constructor(graceMs: number) {
    super(
      `the handler did not end within ${graceMs} ms after its signal aborted; pass the signal on to whatever it waits for`,
    )
  }
}
