/** A dead letter: a message that nobody took, as it is kept until somebody has decided about it. */
import type { BrokerMessage } from '@pacifica/platform'

export const LETTER_STATES = ['dead', 'resent', 'dismissed'] as const
/** `dead`: nobody has decided; `resent`: it went back to its queue; `dismissed`: somebody put it away. */
export type LetterState = (typeof LETTER_STATES)[number]

export interface Letter {
  readonly uuid: string
  /** Microseconds since 1970 of `created`. */
  readonly micros: number
  /** In which it died; null when the message does not say. */
  readonly queue: string | null
  /** The broker's word for it. */
  readonly reason: string | null
  /** The same for people. */
  readonly why: string
  readonly deaths: number
  readonly firstDeath: Date | null
  readonly lastDeath: Date | null
  readonly exchange: string
  readonly routingKey: string
  readonly properties: BrokerMessage['properties']
  readonly bytes: number
  readonly state: LetterState
  /** When it was taken from the queue of dead letters. */
  readonly created: Date
  /** Why it could not be sent again, the last time. */
  readonly error: string | null
  readonly settled: Date | null
  readonly settledBy: string | null
}

export interface OpenedLetter extends Letter {
  readonly headers: BrokerMessage['headers']
  /** The beginning of the body. */
  readonly body: Uint8Array
}

/** The message itself, ready to be sent. */
export type LetterMessage = BrokerMessage & { readonly queue: string | null }
