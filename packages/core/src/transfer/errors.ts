/** No answer came: the service is not there, the connection broke, or it was silent for too long. */
export class ServiceUnreachableError extends Error {
  override readonly name = 'ServiceUnreachableError'
  readonly code = 'SERVICE_UNREACHABLE'

  /** @param call such as `POST http://cartd:8081/…` */
  constructor(call: string, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super(`${call}: no answer (${reason})`, { cause })
  }
}

const SHOWN = 300

/** An answer that the service does not give when all is well. */
export class ServiceAnswerError extends Error {
  override readonly name = 'ServiceAnswerError'
  readonly code = 'SERVICE_ANSWER'
  /** The HTTP status of the answer. */
  readonly status: number

  constructor(call: string, status: number, text: string, advice = adviceFor(status)) {
    const body = text.trim().slice(0, SHOWN)
    super(`${call}: answered ${status}${body === '' ? '' : ` ${JSON.stringify(body)}`}${advice}`)
    this.status = status
  }
}

function adviceFor(status: number): string {
  if (status === 401 || status === 403) return '; check the user and the password'
  if (status >= 300 && status < 400) {
    return '; redirects are not followed: set the URL that it leads to'
  }
  return status === 404 ? '; check the URL' : ''
}

const NOT_CONNECTED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']

/**
 * Whether it is certain that the call has changed nothing: it was refused, or never arrived.
 * @param error what a call of Cartd, Ingest or Metadata was rejected with
 */
export function changedNothing(error: unknown): boolean {
  if (error instanceof ServiceAnswerError) return error.status >= 300 && error.status < 500
  if (!(error instanceof ServiceUnreachableError)) return false
  return NOT_CONNECTED.includes(String((error.cause as NodeJS.ErrnoException | undefined)?.code))
}

/** Whether the same call may well succeed a little later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ServiceUnreachableError) return true
  if (!(error instanceof ServiceAnswerError)) return false
  return error.status >= 500 || error.status === 408 || error.status === 429
}
