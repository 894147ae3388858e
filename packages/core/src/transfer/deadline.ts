/** How long a transfer may take, and how it is called off. */
export interface TransferOptions {
  /** Milliseconds for the whole transfer; 180 000 (three minutes, as in Python) unless given. */
  readonly timeout?: number
  /** Calls the transfer off; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

export const DEFAULT_TIMEOUT_MS = 180_000

/** A download or upload took longer than its `timeout`. */
export class TransferTimeoutError extends Error {
  override readonly name = 'TransferTimeoutError'
  readonly code = 'TRANSFER_TIMEOUT'

  constructor(what: string, timeoutMs: number) {
    super(`${what} took longer than ${timeoutMs} ms; give it a longer timeout`)
  }
}

/** Runs `work` with a signal that aborts with the caller's or when the time is up. `what` is named in the error. */
export async function withDeadline<T>(
  what: string,
  options: TransferOptions,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted()
  const timeoutMs = options.timeout ?? DEFAULT_TIMEOUT_MS
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(new TransferTimeoutError(what, timeoutMs)), timeoutMs)
  const signal = options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal
  try {
    return await work(signal)
  } finally {
    clearTimeout(timer)
  }
}
