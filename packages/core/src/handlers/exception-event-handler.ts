import { EventHandler } from './event-handler.ts'

/** What `ExceptionEventHandler` throws. The message is the original's. */
export class ExceptionEventHandlerError extends Error {
  override readonly name = 'ExceptionEventHandlerError'
  readonly code = 'EXCEPTION_EVENT_HANDLER'

  constructor() {
    super('ExceptionEventHandler has raised an exception.')
  }
}

/** Fails for any event: for trying out what happens then. */
export class ExceptionEventHandler extends EventHandler {
  /** Rejects with `ExceptionEventHandlerError`. */
  override async handle(): Promise<void> {
    throw new ExceptionEventHandlerError()
  }
}
