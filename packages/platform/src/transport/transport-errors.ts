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
