/**
 * Who is asking. A proxy in front of us knows, and says so in a header; anybody else could write that header too, so it
 * is believed only from the proxies' own addresses. Scripts show a token instead.
 */
import {
  type AddressRanges,
  type ApiToken,
  addressRanges,
  bearerToken,
  type KnownSecrets,
  knownSecrets,
} from '@pacifica/platform'

export interface Caller {
  readonly user: string
  /** Sees everything. */
  readonly admin: boolean
}

export interface IncomingRequest {
  /** Of the connection itself, not what a header claims (X-Forwarded-For). */
  readonly remoteAddress: string | undefined
  /** Names in lower case, as Node gives them. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
}

/** @throws one of the five errors of this file */
export type Identify = (request: IncomingRequest) => Caller

export interface IdentifyOptions {
  readonly userHeader: string
  /** Who asks when nothing says so; undefined refuses such a request. */
  readonly defaultUser?: string | undefined
  /** CIDRs. */
  readonly trustedProxies: readonly string[]
  readonly adminUsers: readonly string[]
  readonly tokens?: readonly ApiToken[] | undefined
}

/** The user header came from an address that is no trusted proxy. */
export class UntrustedUserHeaderError extends Error {
  readonly code = 'USER_HEADER_UNTRUSTED'
}

/** The user header came more than once: a proxy added its own to the client's. */
export class AmbiguousUserError extends Error {
  readonly code = 'USER_HEADER_AMBIGUOUS'
}

/** Nothing says who is asking. */
export class NoUserError extends Error {
  readonly code = 'USER_MISSING'
}

/** The user's name is longer than can be stored. */
export class UserTooLongError extends Error {
  readonly code = 'USER_TOO_LONG'
}

/** The bearer token is none that we know. */
export class UnknownTokenError extends Error {
  readonly code = 'TOKEN_UNKNOWN'
}

/** @throws AddressRangeError for a bad CIDR in `trustedProxies` */
export function createIdentify(options: IdentifyOptions): Identify {
  const proxies = addressRanges(options.trustedProxies)
  const admins = new Set(options.adminUsers)
  const tokens = knownTokens(options.tokens ?? [])
  const callerOf = (user: string): Caller => ({ user, admin: admins.has(user) })
  return (request) => {
    const user = userFromHeader(request, options.userHeader, proxies)
    if (user !== undefined) return callerOf(user)
    const token = tokens && userFromToken(request, tokens)
    if (token) return { user: token.user, admin: token.admin || admins.has(token.user) }
    if (options.defaultUser !== undefined) return callerOf(options.defaultUser)
    const orToken = tokens ? ', nor an Authorization: Bearer token' : ''
    throw new NoUserError(
      `nothing says who you are: there is no header ${options.userHeader}${orToken}`,
    )
  }
}

/** What the tables hold. */
const LONGEST_USER = 255

/** Undefined without tokens: then an Authorization header is somebody else's business. */
function knownTokens(tokens: readonly ApiToken[]): KnownSecrets<ApiToken> | undefined {
  if (tokens.length === 0) return undefined
  return knownSecrets(tokens.map((value) => ({ secret: value.token, value })))
}

function userFromHeader(
  request: IncomingRequest,
  name: string,
  proxies: AddressRanges,
): string | undefined {
  const given = [request.headers[name.toLowerCase()] ?? []].flat()
  const user = given[0]?.trim()
  if (given.length === 0 || user === undefined || user === '') return undefined
  const from = request.remoteAddress ?? 'an unknown address'
  if (!proxies.has(from))
    throw new UntrustedUserHeaderError(
      `the header ${name} is believed only from TRUSTED_PROXIES, and ${from} is none of them`,
    )
  if (given.length > 1 || user.includes(', '))
    throw new AmbiguousUserError(
      `the header ${name} came more than once: the proxy must replace it, not add to it`,
    )
  if (user.length > LONGEST_USER)
    throw new UserTooLongError(`the header ${name} names a user in more than 255 characters`)
  return user
}

function userFromToken(
  request: IncomingRequest,
  tokens: KnownSecrets<ApiToken>,
): ApiToken | undefined {
  const shown = bearerToken(request.headers['authorization'])
  if (shown === undefined) return undefined
  const known = tokens.find(shown)
  if (known === undefined) throw new UnknownTokenError('the bearer token is not known here')
  return known
}
