/**
 * One request and its answer, with every limit that a hostile target could overstep: total time, size of the body,
 * number of preliminary answers. It ends exactly once; whatever happens later on its connection is dropped.
 */
import type { Dispatcher } from 'undici'
import {
  type EgressOutcome,
  type EgressResponse,
  explainFailure,
  isConnectTimeout,
} from './outcome.ts'

/** 1xx answers before the real one; more are an attempt to keep us busy. */
const MAX_PRELIMINARY = 16

export interface ExchangeOptions {
  readonly host: string
  readonly timeoutMs: number
  readonly maxResponseBytes: number
  readonly signal: AbortSignal | undefined
}

class ExchangeOverError extends Error {
  readonly code = 'EGRESS_OVER'
}

/** What is posted: origin and path as they are, which a URL would normalise. */
export interface Posted {
  readonly origin: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Posts once, and follows no redirect. Never rejects. */
export function exchange(
  dispatcher: Dispatcher,
  posted: Posted,
  options: ExchangeOptions,
): Promise<EgressOutcome> {
  const one = new Exchange(options)
  if (one.over) return one.outcome
  try {
    const { origin, path, headers, body } = posted
    dispatcher.dispatch({ origin, path, method: 'POST', headers, body }, one)
  } catch (error) {
    one.fail(error as Error)
  }
  return one.outcome
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<EgressOutcome>
  readonly #options: ExchangeOptions
  readonly #began = performance.now()
  readonly #timer: NodeJS.Timeout
  readonly #onAbort = () => {
    const sent = this.#controller !== undefined
    this.#end({ kind: 'aborted', sent, durationMs: this.#ms })
  }
  readonly #chunks: Buffer[] = []
  #resolve: (outcome: EgressOutcome) => void = () => undefined
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #preliminary = 0
  #status: number | undefined
  #headers: EgressResponse['headers'] = {}
  #bytes = 0

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve
    })
    this.#timer = setTimeout(() => this.#timeUp(), options.timeoutMs)
    options.signal?.addEventListener('abort', this.#onAbort)
    if (options.signal?.aborted) this.#onAbort()
  }

  get over(): boolean {
    return this.#over
  }

  /** The connection is there and the request about to be written: no use, if the exchange is over by then. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#over) controller.abort(new ExchangeOverError('the exchange is over'))
    else this.#controller = controller
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    if (status >= 200) {
      this.#status = status
      this.#headers = kept(headers)
    } else if (++this.#preliminary > MAX_PRELIMINARY) {
      const reason = `${this.#options.host} sent only preliminary answers (1xx)`
      this.#end({ kind: 'failed', reason, code: 'EGRESS_PRELIMINARY', durationMs: this.#ms })
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#over) return
    const room = this.#options.maxResponseBytes - this.#bytes
    this.#bytes += Math.min(room, chunk.length)
    this.#chunks.push(chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk)
    if (chunk.length > room) this.#respond(true)
  }

  onResponseEnd(): void {
    this.#respond(false)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.fail(error)
  }

  /** Ends it with what `error` means. */
  fail(error: Error): void {
    const { reason, code } = explainFailure(error, this.#options.host)
    const durationMs = this.#ms
    if (code === 'EGRESS_FORBIDDEN')
      this.#end({ kind: 'forbidden', reason: error.message, durationMs })
    else if (isConnectTimeout(code)) this.#timeUp()
    else this.#end({ kind: 'failed', reason, code, durationMs })
  }

  #respond(truncated: boolean): void {
    const status = this.#status as number
    const body = text(Buffer.concat(this.#chunks), truncated)
    const durationMs = this.#ms
    this.#end({ kind: 'response', status, headers: this.#headers, body, truncated, durationMs })
  }

  #timeUp(): void {
    const durationMs = this.#ms
    const reason = this.#whatIsMissing((durationMs / 1_000).toFixed(1))
    this.#end({ kind: 'timeout', reason, status: this.#status, durationMs })
  }

  #whatIsMissing(seconds: string): string {
    const { host } = this.#options
    if (this.#controller === undefined) return `no connection to ${host} within ${seconds} s`
    if (this.#status === undefined) return `no answer from ${host} within ${seconds} s`
    return `${host} answered ${this.#status}, but did not end its answer within ${seconds} s`
  }

  get #ms(): number {
    return performance.now() - this.#began
  }

  #end(outcome: EgressOutcome): void {
    if (this.#over) return
    this.#over = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#resolve(outcome)
    const whole = outcome.kind === 'response' && !outcome.truncated
    if (!whole) this.#controller?.abort(new ExchangeOverError('the exchange is over'))
  }
}

const KEPT = ['retry-after', 'location', 'content-type'] as const

function kept(headers: Record<string, string | string[] | undefined>): EgressResponse['headers'] {
  const found: Partial<Record<(typeof KEPT)[number], string>> = {}
  for (const name of KEPT) {
    const given = headers[name]
    const value = Array.isArray(given) ? given[0] : given
    if (value !== undefined) found[name] = value
  }
  return found
}

/** Fit to be stored: PostgreSQL takes no NUL. A character that the limit cut in two is left out. */
function text(bytes: Buffer, truncated: boolean): string {
  return new TextDecoder().decode(bytes, { stream: truncated }).replaceAll('\0', '\uFFFD')
}
