import type { Intake } from './intake.ts'
import type { TaskEvents } from './task-events.ts'

/**
 * The way of an event from notifications to a dispatcher. Two adapters stand behind this port: in process (the
 * embedded default) and RabbitMQ. Both pass the suite in `transport.contract.ts`.
 */
export interface DispatchMessage {
  /** The delivery's id (uuid). Together with `replay` it names one piece of work: done once. */
  readonly deliveryId: string
  /** 0 for the first time; grows with each replay that somebody asked for. */
  readonly replay: number
  /** SHA-256, hex, of the event's bytes as received, before the subscription's extensions were merged in. */
  readonly digest: string
  /** The event: JSON text in CloudEvents structured mode (v0.1 or 1.0). */
  readonly body: string
  /** W3C trace context of the delivery. */
  readonly traceparent?: string
  /** The dead letter (uuid) that it was, when somebody sent it again. Not of those who publish. */
  readonly letter?: string
}

export type PublishOutcome =
  /** The broker has it safely (in process: the consumer has acknowledged it). */
  | { readonly kind: 'accepted' }
  /** Nobody has declared a queue for that dispatcher. */
  | { readonly kind: 'unroutable'; readonly reason: string }
  /** The broker or the consumer said no. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No answer in time: it may have arrived. */
  | { readonly kind: 'unknown'; readonly reason: string }
  /** It was not sent: there is no connection, or the broker takes no messages just now. Nobody's fault but ours. */
  | { readonly kind: 'away'; readonly reason: string }

export interface Consumer {
  /** False while nothing would be received: not connected, cancelled. */
  readonly consuming: boolean
  /** Takes no new message; resolves when those in hand are acknowledged or returned. */
  stop(): Promise<void>
}

export interface Transport {
  /** Never rejects: what became of it is the outcome. An aborted `signal` gives `unknown`, or `away` before it was sent. */
  publish(
    dispatcher: string,
    message: DispatchMessage,
    options: { timeoutMs: number; signal?: AbortSignal },
  ): Promise<PublishOutcome>
  /**
   * A message is acknowledged when `accept` resolves, and comes again (later) when it rejects; not when it rejects
   * with an UnreadableDispatchError. Resolves without waiting for a broker that is away: `consuming` tells.
   */
  consume(
    dispatcher: string,
    accept: (message: DispatchMessage) => Promise<void>,
  ): Promise<Consumer>
  /** What became of tasks, from dispatchers to notifications. */
  readonly taskEvents: TaskEvents
  /** What a broker has beside dispatches. Undefined where there is no broker. */
  readonly intake?: Intake
  /** Undefined when publishing is worth trying; else why a message would come to `away`. */
  publishTrouble(): string | undefined
  /** Undefined when it works; else what is wrong, for readiness. */
  trouble(): string | undefined
  close(): Promise<void>
}

/** What a dispatcher may be called: it is part of a queue's name and of `dispatch://` targets. */
export const DISPATCHER_NAME = /^[a-z0-9-]{1,64}$/
