/**
 * Throw it from a handler for what may well succeed later: a licence server that is busy, a service of your own that is
 * away. The task is then tried again instead of failing. Errors of Cartd and Ingest that may pass need no such wrapping.
 */
export class RetryableError extends Error {
  override readonly name = 'RetryableError'
  readonly code = 'RETRYABLE'
  /** Milliseconds until the next try; the dispatcher's own wait unless given. */
  readonly retryAfterMs: number | undefined

  /**
   * @param message what is not there yet, for whoever looks at the task
   * @param options the `cause`, and `retryAfterMs`
   */
  constructor(message: string, options: ErrorOptions & { readonly retryAfterMs?: number } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}
