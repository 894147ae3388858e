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

/** Thrown by a consumer of task events: the message is none, and never will be. It does not come again. */
export class UnreadableTaskEventError extends Error {
  readonly code = 'UNREADABLE_TASK_EVENT'
}

/** Whether a consumer means: this message, never again. */
export function isUnreadable(error: unknown): error is Error {
  return error instanceof UnreadableDispatchError || error instanceof UnreadableTaskEventError
}
