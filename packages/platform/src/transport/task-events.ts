/**
 * The way back: what became of the tasks of dispatchers, to notifications and whoever else wants to know. A part of the
 * transport, with the same outcomes.
 */
import type { Consumer, PublishOutcome } from './transport.ts'

export interface TaskEventMessage {
  /** The event's id: a repeat has the same. */
  readonly id: string
  /** The state that the task went into: what others may bind their queues by. */
  readonly state: string
  /** The event: JSON text, CloudEvents 1.0 in structured mode. */
  readonly body: string
}

export interface TaskEvents {
  /** Never rejects. `unroutable`: nobody listens to task events. The outcomes are those of `publish`. */
  publish(
    message: TaskEventMessage,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<PublishOutcome>
  /**
   * For notifications. A message is acknowledged when `accept` resolves, and comes again (later) when it rejects; not
   * when it rejects with a RefusedMessageError. Order is not promised.
   */
  consume(accept: (message: TaskEventMessage) => Promise<void>): Promise<Consumer>
  /** Undefined when publishing is worth trying; else what is wrong. */
  trouble(): string | undefined
}
