/** How long a transfer may stand still, and how it is called off. */
export interface TransferOptions {
  /**
   * Milliseconds without progress; 180 000 (three minutes, as in Python) unless given. Progress is a byte that moves (of
   * an upload: the next 1 MiB that the system has taken), or news of the cart or of the job. So it bounds every wait, and
   * a large transfer that goes on is never cut off; for a limit on the whole give `AbortSignal.timeout(ms)` as the signal.
   */
  readonly timeout?: number
  /** Calls the transfer off; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal
  /** Told how far the transfer is, many times a second while bytes move: what it does must be quick. */
  readonly onProgress?: (progress: TransferProgress) => void
  /** Told what is new of the cart or the job while no bytes move: `staging: 3 of 5 files`, `ingest files 40.00000 %`. */
  readonly onNews?: (said: string) => void
}

/** How far a transfer is. */
export interface TransferProgress {
  /** Of the files or of the bundle; it falls when a broken transfer begins again. */
  readonly bytes: number
  /** Undefined while the size of a file is not known. */
  readonly total: number | undefined
}

/** Three minutes, as in pacifica-dispatcher: for so long a transfer may stand still. */
export const DEFAULT_TIMEOUT_MS = 180_000

/** A download or upload made no progress for its `timeout`. */
export class TransferTimeoutError extends Error {
  override readonly name = 'TransferTimeoutError'
  readonly code = 'TRANSFER_TIMEOUT'

  constructor(what: string, timeoutMs: number, doing: string) {
    const last = doing === '' ? '' : ` (${doing})`
    super(`${what} made no progress for ${timeoutMs} ms${last}; give it a longer timeout`)
  }
}

/** What `work` tells of itself. */
export interface Watch {
  /** Aborts with the caller's signal, or when nothing has moved for too long. */
  readonly signal: AbortSignal
  /** Something moved. Costs next to nothing. */
  moved(): void
  /** Cartd or Ingest has said something that it had not said before: that counts as moving. */
  heard(said: string): void
  /** What is waited for now, for the error. */
  doing(what: string): void
}

/** Runs `work` until it ends, the caller's signal aborts, or it stands still for too long. `what` is named in the error. */
export async function withDeadline<T>(
  what: string,
  options: TransferOptions,
  work: (watch: Watch) => Promise<T>,
): Promise<T> {
  options.signal?.throwIfAborted()
  const timeoutMs = options.timeout ?? DEFAULT_TIMEOUT_MS
  const late = new AbortController()
  let doing = ''
  let movedAt = performance.now()
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    const leftMs = movedAt + timeoutMs - performance.now()
    if (leftMs > 0) timer = setTimeout(look, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
    else late.abort(new TransferTimeoutError(what, timeoutMs, doing))
  }
  look()
  const moved = () => {
    movedAt = performance.now()
  }
  const watch: Watch = {
    signal: options.signal ? AbortSignal.any([options.signal, late.signal]) : late.signal,
    moved,
    heard: (said) => {
      moved()
      options.onNews?.(said)
    },
    doing: (now) => {
      doing = now
    },
  }
  try {
    return await work(watch)
  } finally {
    clearTimeout(timer)
  }
}

/** A timer that is asked to wait longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
