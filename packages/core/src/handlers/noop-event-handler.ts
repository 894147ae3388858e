import { EventHandler } from './event-handler.ts'

/** Takes any event and does nothing: for trying routes out. */
export class NoopEventHandler extends EventHandler {
  /** Resolves at once. */
  override async handle(): Promise<void> {}
}
