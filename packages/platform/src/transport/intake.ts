/**
 * What notifications takes from a broker beside the answers to its dispatches: events that others publish, and dead
 * letters; and how a dead letter goes back. There is one adapter, RabbitMQ: in process there is no broker to take from.
 */
import type { Consumer, PublishOutcome } from './transport.ts'

/** A message as the broker has it, whole. */
export interface BrokerMessage {
  readonly body: Uint8Array
  /** Of AMQP 0-9-1, those that are set: `contentType`, `messageId`, …; without the headers. */
  readonly properties: Readonly<Record<string, string | number>>
  /**
   * As amqplib reads them: strings, numbers, booleans, bytes (Buffer), lists, tables, and `{"!": "timestamp", value}`.
   */
  readonly headers: Readonly<Record<string, unknown>>
  /** Where it was published to. */
  readonly exchange: string
  readonly routingKey: string
}

export interface Death {
  /** In which it died. */
  readonly queue: string
  /** `rejected`, `expired`, `maxlen`, `delivery_limit`, or what a later broker says. */
  readonly reason: string
  /** How often it died there for that reason. */
  readonly count: number
  /** In whichever queue it died first; to the second. */
  readonly first: Date | undefined
  readonly last: Date | undefined
}

export interface DeadMessage extends BrokerMessage {
  /** Undefined for a message that somebody put into the queue of dead letters. */
  readonly death: Death | undefined
  /** The same for the same message whenever it is offered, another for any other: SHA-256, hex. */
  readonly key: string
}

export interface Intake {
  /** From the queue `pacifica.receive`; a message that `accept` refuses (RefusedMessageError) becomes a dead letter. */
  received(accept: (message: BrokerMessage) => Promise<void>): Promise<Consumer>
  /** From the queue `pacifica.dead`. `accept` must refuse none: there is nowhere else to put it. */
  dead(accept: (message: DeadMessage) => Promise<void>): Promise<Consumer>
  /**
   * Puts a message into a queue: what the broker or an earlier resend added to it is left out. Never rejects.
   * @param letter noted in the header `pacifica-resent`, so that it is told from the message that died before
   */
  resend(
    queue: string,
    message: BrokerMessage,
    options: { letter: string; timeoutMs: number; signal?: AbortSignal },
  ): Promise<PublishOutcome>
}
