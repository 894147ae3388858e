/** The body is no CloudEvent: the message says why, and names the member if it is one. */
export class EventFormatError extends Error {
  override readonly name = 'EventFormatError'
  readonly code = 'EVENT_FORMAT'
  /** The member at fault, if it is one. */
  readonly member: string | undefined

  constructor(message: string, options?: { member?: string; cause?: unknown }) {
    super(message, options && 'cause' in options ? { cause: options.cause } : undefined)
    this.member = options?.member
  }
}

/** The request's media type is none in which events are accepted. */
export class UnsupportedMediaTypeError extends Error {
  override readonly name = 'UnsupportedMediaTypeError'
  readonly code = 'EVENT_MEDIA_TYPE'
}
