/** What became of a request: always a value, for people and for the code that decides what happens next. */
export type EgressOutcome =
  | EgressResponse
  /** `status` when the headers had come and the body did not end in time. */
  | {
      readonly kind: 'timeout'
      readonly reason: string
      readonly status: number | undefined
      readonly durationMs: number
    }
  /** The rules forbid the URL or an address of its name; nothing was sent. */
  | { readonly kind: 'forbidden'; readonly reason: string; readonly durationMs: number }
  | {
      readonly kind: 'failed'
      readonly reason: string
      readonly code: string
      readonly durationMs: number
    }
  /** By the caller's signal. `sent`: whether the target may have got the request. */
  | { readonly kind: 'aborted'; readonly sent: boolean; readonly durationMs: number }

/** Any status, redirects too: they are not followed. */
export interface EgressResponse {
  readonly kind: 'response'
  readonly status: number
  readonly headers: {
    readonly 'retry-after'?: string
    readonly location?: string
    readonly 'content-type'?: string
  }
  /** The beginning of the body as UTF-8, as it was sent (nothing is decompressed); what is not UTF-8, and NUL, became U+FFFD. */
  readonly body: string
  /** The body was longer than the limit; the connection was dropped there. */
  readonly truncated: boolean
  readonly durationMs: number
}

interface Failure {
  readonly message: string
  readonly code?: unknown
  readonly address?: unknown
  readonly port?: unknown
  readonly errors?: readonly Failure[]
}

/** What went wrong on the way to `host`, in words without secrets, and its code. */
export function explainFailure(error: Error, host: string): { reason: string; code: string } {
  const failure = error as Failure
  const code = typeof failure.code === 'string' ? failure.code : codeOf(error.name)
  return { reason: reasonOf(code, failure, host), code }
}

/** undici gives its parser's errors a name, but not always a code. */
function codeOf(name: string): string {
  return name === 'HTTPParserError' ? 'HPE_INVALID' : 'EGRESS_FAILED'
}

/** The connection could not be opened in time; the request's own time was not up yet. */
export function isConnectTimeout(code: string): boolean {
  return code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT'
}

/** undici's own words, the only place where it keeps the proxy's status. */
const PROXY_REFUSAL = /^Proxy (?:response|Authentication Required) \((\d{3})\)/

function reasonOf(code: string, failure: Failure, host: string): string {
  const proxyStatus = PROXY_REFUSAL.exec(failure.message)?.[1]
  if (proxyStatus) return `the outbound proxy refused to connect to ${host} (HTTP ${proxyStatus})`
  if (code.startsWith('HPE_')) return `the answer of ${host} is no valid HTTP/1.1 (${code})`
  if (isCertificateCode(code)) return `the TLS certificate of ${host} is not accepted (${code})`
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') return `no TLS with ${host} (${code})`
  switch (code) {
    case 'ECONNREFUSED':
      return `connection refused by ${addressesOf(failure, host)}`
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `no way to ${addressesOf(failure, host)}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `no address found for the name ${host} (${code})`
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
    case 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH':
      return `${host} closed the connection before its answer was complete`
    case 'UND_ERR_HEADERS_OVERFLOW':
      return `the headers of ${host}'s answer are larger than 16 KiB`
    case 'UND_ERR_INVALID_ARG':
      return 'the request cannot be sent: a header or the path holds characters that HTTP does not allow'
    default:
      return `the request to ${host} failed (${code})`
  }
}

function isCertificateCode(code: string): boolean {
  return /CERT|ISSUER|SIGNATURE/.test(code)
}

/** Node tries each address of a name and reports all that failed. */
function addressesOf(failure: Failure, host: string): string {
  const tried = failure.errors ?? [failure]
  const places = tried.flatMap(({ address, port }) =>
    typeof address === 'string'
      ? [address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`]
      : [],
  )
  return [...new Set(places)].join(' and ') || host
}
