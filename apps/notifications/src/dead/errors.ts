/** Why a dead letter cannot be shown, sent again or put away. */
export class LetterNotFoundError extends Error {
  readonly code = 'DEAD_LETTER_NOT_FOUND'
  constructor(uuid: string) {
    super(`there is no dead letter ${uuid}; GET /dead lists them`)
  }
}

/** Somebody was faster, or it was so all along. */
export class LetterSettledError extends Error {
  readonly code = 'DEAD_LETTER_SETTLED'
  constructor(uuid: string, { settled, by }: { settled: Date | null; by: string | null }) {
    const when = settled === null ? '' : ` at ${settled.toISOString()}`
    super(
      `dead letter ${uuid} was sent again${when} by ${by ?? 'somebody'}: should it die again, it is a dead letter of its own`,
    )
  }
}

export class LetterBusyError extends Error {
  readonly code = 'DEAD_LETTER_BUSY'
  constructor(uuid: string) {
    super(`dead letter ${uuid} is just being sent again by somebody else: look at it in a minute`)
  }
}

export class LetterWithoutOriginError extends Error {
  readonly code = 'DEAD_LETTER_NO_ORIGIN'
  constructor(uuid: string) {
    super(
      `dead letter ${uuid} does not say from which queue it came, so it cannot be sent back; DELETE /dead/${uuid} puts it away`,
    )
  }
}

/** The queue that it died in is not there any more, or not yet. */
export class LetterUnroutableError extends Error {
  readonly code = 'DEAD_LETTER_UNROUTABLE'
  constructor(uuid: string, reason: string) {
    super(
      `dead letter ${uuid} was not sent: ${reason}. It stays; start the service that declares this queue, and send it again`,
    )
  }
}

/** The broker is away, said no, or did not answer. */
export class LetterNotSentError extends Error {
  readonly code = 'DEAD_LETTER_NOT_SENT'
  readonly retryAfterS = 30
  constructor(uuid: string, reason: string) {
    super(`dead letter ${uuid} was not sent: ${reason}. It stays; send it again later`)
  }
}

export class NoBrokerError extends Error {
  readonly code = 'NO_BROKER'
  constructor() {
    super('there is no broker to send a dead letter to: set BROKER_URL')
  }
}
