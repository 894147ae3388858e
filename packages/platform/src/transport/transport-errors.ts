export class DispatcherNameError extends Error {
  readonly code = 'DISPATCHER_NAME'
  constructor(name: string) {
    super(`'${name}' is no dispatcher name: 1 to 64 of a-z, 0-9 and '-'`)
  }
}

export class TransportClosedError extends Error {
  readonly code = 'TRANSPORT_CLOSED'
  constructor() {
    super('the transport is closed: the service is stopping')
  }
}

/** Thrown by a consumer's `accept`: the message holds no event, and never will. It does not come again. */
export class UnreadableDispatchError extends Error {
  readonly code = 'UNREADABLE_DISPATCH'
}

/** The same of a message that is no dispatch: it becomes a dead letter at once, for the reason given. */
export class RefusedMessageError extends Error {
  readonly code = 'REFUSED_MESSAGE'
}
