/**
 * The one HTTP client for subscribers' targets and every other URL that a subscriber gives. It is built on the
 * assumption that the URL is chosen by an attacker and that the server behind it is one.
 */
import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici'
import { remembered } from '../remembered.ts'
import { createAddressPolicy } from './address-policy.ts'
import { guardedConnector, type Resolve, systemResolve, trusting } from './connector.ts'
import { exchange } from './exchange.ts'
import type { EgressOutcome } from './outcome.ts'
import { refuseUrl } from './target-url.ts'

export const MAX_RESPONSE_HEADERS = 16 * 1024
export const MAX_RESPONSE_BODY = 64 * 1024
const CONNECT_TIMEOUT_MS = 10_000
/** A connection in constant use is renewed after this, so that a change in DNS is noticed. */
const CONNECTION_TTL_MS = 5 * 60_000

export interface EgressRequest {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** For everything together: waiting for a free connection, look-up, connecting, headers, body. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  /** What is kept of the answer's body; default 64 KiB. */
  readonly maxResponseBytes?: number
}

export interface Egress {
  /** Why a URL is refused, as far as that can be said without a look-up: a sentence for people that says of the URL what is wrong. */
  check(url: string): string | undefined
  /** Posts once; follows no redirect. Never rejects. */
  post(url: string, request: EgressRequest): Promise<EgressOutcome>
  /** Ends all connections at once. */
  close(): Promise<void>
}

export interface EgressOptions {
  /** CIDRs that are opened although they are not public; never opens link-local and metadata addresses. */
  readonly allow: readonly string[]
  /** CIDRs that are closed; wins over `allow`. */
  readonly deny: readonly string[]
  /** Connections to one origin at once; default: no limit. */
  readonly connections?: number
  /** Certificates (PEM) to trust besides the usual roots. */
  readonly ca?: string
  /**
   * An outbound proxy, `http://[user:password@]host:port` or https. It looks names up, so only literal addresses
   * (and localhost) can be checked here: the proxy must guard the rest. Its own address is the operator's and not checked.
   */
  readonly proxy?: URL
  readonly userAgent: string
  /** How names are looked up; default: as the system does. */
  readonly resolve?: Resolve
}

interface EgressLog {
  warn(fields: object, message: string): void
}

/** What can be said of a URL without a look-up: why it is refused, or where it leads. */
type Read = { readonly refused: string } | Place
interface Place {
  readonly refused: undefined
  readonly host: string
  readonly origin: string
  /** With the query. */
  readonly path: string
}

/** Most posts go where others went before, and what is read of a URL never changes. */
const URLS_REMEMBERED = 1_000

/** @throws AddressRangeError for a CIDR that is none */
export function createEgress(needs: { readonly log: EgressLog }, options: EgressOptions): Egress {
  const policy = createAddressPolicy(options)
  const read = remembered(URLS_REMEMBERED, (url): Read => {
    const refused = refuseUrl(url, policy)
    return refused === undefined ? placeOf(new URL(url)) : { refused }
  })
  const connect = guardedConnector(
    { policy, resolve: options.resolve ?? systemResolve() },
    { timeoutMs: CONNECT_TIMEOUT_MS, secureContext: trusting(options.ca) },
  )
  const dispatcher = options.proxy
    ? throughProxy(options.proxy, options)
    : new Agent({ ...limits(options), connect })
  return {
    check: (url) => refuseUrl(url, policy),
    async post(url, request) {
      const place = read(url)
      const outcome: EgressOutcome =
        place.refused === undefined
          ? await post(dispatcher, place, request, options.userAgent)
          : { kind: 'forbidden', reason: place.refused, durationMs: 0 }
      if (outcome.kind === 'forbidden')
        needs.log.warn({ reason: outcome.reason }, 'egress.forbidden')
      return outcome
    },
    close: () => dispatcher.destroy(),
  }
}

function placeOf({ host, origin, pathname, search }: URL): Place {
  return { refused: undefined, host, origin, path: pathname + search }
}

function post(
  dispatcher: Dispatcher,
  { host, origin, path }: Place,
  request: EgressRequest,
  userAgent: string,
): Promise<EgressOutcome> {
  const { body, timeoutMs, signal, maxResponseBytes = MAX_RESPONSE_BODY } = request
  const headers = { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers }
  const posted = { origin, path, headers, body }
  return exchange(dispatcher, posted, { host, timeoutMs, maxResponseBytes, signal })
}

/** The exchange keeps the time, so undici's own clocks are off. */
function limits(options: EgressOptions): Agent.Options {
  return {
    ...(options.connections !== undefined && { connections: options.connections }),
    maxHeaderSize: MAX_RESPONSE_HEADERS,
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveMaxTimeout: 60_000,
    clientTtl: CONNECTION_TTL_MS,
  }
}

/** https goes through CONNECT, http as a plain proxy request: many proxies let no CONNECT to port 80 pass. */
function throughProxy(proxy: URL, options: EgressOptions): ProxyAgent {
  const secureContext = trusting(options.ca)
  const tls = { timeout: CONNECT_TIMEOUT_MS, ...(secureContext && { secureContext }) }
  return new ProxyAgent({
    ...limits(options),
    uri: proxy.href,
    proxyTunnel: false,
    requestTls: tls,
    proxyTls: tls,
    clientFactory: (origin, given) =>
      new Pool(origin, { ...given, headersTimeout: CONNECT_TIMEOUT_MS }),
  })
}
