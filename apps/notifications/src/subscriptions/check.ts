/**
 * What a schema cannot say about a subscription: its expression must compile and do no more than its share of work, its
 * target must be one that we may send to, and what it says of itself must be true. All mistakes are reported together,
 * those of the schema among them.
 */
import { type Dialect, JsonPathLimitError, JsonPathSyntaxError } from '@pacifica/jsonpath'
import { dispatcherOf } from '../deliver/target.ts'
import type { Secrets } from './auth.ts'
import { authShapeMistakes } from './auth-shape.ts'
import { refuseWork } from './probes.ts'
import type { SubscriptionChanges } from './schema.ts'
import { MaskedSecretError, UnusableAuthError } from './secrets.ts'
import { compileSubscription, type Version } from './subscription.ts'

export interface Mistake {
  /** JSON pointer into the request's body. */
  readonly path: string
  readonly message: string
  /** What was probably meant. */
  readonly hint?: string
  /** Where in the text at `path`, in UTF-16 units. */
  readonly offset?: number
}

const MOST_IN_MESSAGE = 5

export class InvalidSubscriptionError extends Error {
  readonly code = 'SUBSCRIPTION_INVALID'
  readonly errors: readonly Mistake[]
  constructor(errors: readonly Mistake[]) {
    const shown = errors.slice(0, MOST_IN_MESSAGE).map(inWords).join('; ')
    const more = errors.length - MOST_IN_MESSAGE
    super(more > 0 ? `${shown}; and ${more} more` : shown)
    this.errors = errors
  }
}

export interface CheckNeeds {
  /** Why an http(s) target is refused; undefined when it may be used. */
  readonly refuseTarget: (url: string) => string | undefined
  readonly secrets: Pick<Secrets, 'sealAuth'>
}

/** What an update changes; of a new subscription only its owner is known. */
export interface Stored {
  readonly uuid?: string
  readonly user: string
  readonly jsonpath?: string
  readonly dialect?: string
  readonly version?: string
  readonly auth?: string
}

/**
 * @param body as it was sent; where the schema's mistakes are, it is not looked at again
 * @throws InvalidSubscriptionError with every mistake
 */
export function checkSubscription(
  needs: CheckNeeds,
  body: unknown,
  stored: Stored,
  schemaMistakes: readonly Mistake[],
): void {
  const sent = typeof body === 'object' && body !== null ? Object.entries(body) : []
  const auth = sent.filter(([name]) => name === 'auth').flatMap(([, it]) => authShapeMistakes(it))
  const shape = [...schemaMistakes.filter(({ path }) => !/^\/auth(\/|$)/.test(path)), ...auth]
  const wrong = new Set(shape.map(({ path }) => path.split('/')[1]))
  const given: SubscriptionChanges = Object.fromEntries(sent.filter(([name]) => !wrong.has(name)))
  const mistakes = [
    ...shape,
    ...identityMistakes(given, stored),
    ...textMistakes(given),
    ...expressionMistakes(given, stored),
    ...found('/target_url', given.target_url, (url) => refuseTarget(needs, url)),
    ...found('/disabled', given.disabled, refuseTime),
    ...authMistakes(needs, given, stored),
  ]
  if (mistakes.length > 0) throw new InvalidSubscriptionError(mistakes)
}

/**
 * Of a draft, which has no target: its expression, and what it says of itself.
 * @throws InvalidSubscriptionError with every mistake
 */
export function checkDraft(
  body: unknown,
  stored: Stored,
  schemaMistakes: readonly Mistake[],
): void {
  const wrong = new Set(schemaMistakes.map(({ path }) => path.split('/')[1]))
  const sent = typeof body === 'object' && body !== null ? Object.entries(body) : []
  const given: SubscriptionChanges = Object.fromEntries(sent.filter(([name]) => !wrong.has(name)))
  const mistakes = [
    ...schemaMistakes,
    ...identityMistakes(given, stored),
    ...textMistakes(given),
    ...expressionMistakes(given, stored),
  ]
  if (mistakes.length > 0) throw new InvalidSubscriptionError(mistakes)
}

/** `/auth/basic/password is required`, as for any other route; our own mistakes end the name with a colon. */
function inWords({ path, message, hint }: Mistake): string {
  const text = /^(is|must|has|holds) /.test(message) ? message : `: ${message}`
  return `${path.slice(1)}${text.startsWith(':') ? '' : ' '}${text}${hint ? `; ${hint}` : ''}`
}

function found<T>(
  path: string,
  value: T | undefined | null,
  refuse: (value: T) => string | undefined,
): Mistake[] {
  const message = value === undefined || value === null ? undefined : refuse(value)
  return message === undefined ? [] : [{ path, message }]
}

/** A subscription that changed hands would receive what the new owner may see at the old owner's URL. */
function identityMistakes(given: SubscriptionChanges, stored: Stored): Mistake[] {
  return [
    ...found('/user', given.user, (user) =>
      user === stored.user ? undefined : `is '${stored.user}' and cannot be changed`,
    ),
    ...found('/uuid', given.uuid, (text) => {
      const uuid = canonicalUuid(text)
      if (uuid === undefined) return `is no uuid: '${text}'`
      if (stored.uuid === undefined || uuid === stored.uuid) return undefined
      return `is ${stored.uuid} and cannot be changed`
    }),
  ]
}

/** PostgreSQL stores no U+0000; in `extensions` and `auth` it is stored as an escape. */
function textMistakes(given: SubscriptionChanges): Mistake[] {
  const refuse = (text: string) =>
    text.includes('\u0000') ? 'holds the character U+0000, which cannot be stored' : undefined
  return [
    ...found('/name', given.name, refuse),
    ...found('/jsonpath', given.jsonpath, refuse),
    ...found('/target_url', given.target_url, refuse),
  ]
}

/** The stored expression is looked at again when the change gives it another meaning. */
function expressionMistakes(given: SubscriptionChanges, stored: Stored): Mistake[] {
  if (given.jsonpath === undefined && given.dialect === undefined && given.version === undefined)
    return []
  const jsonpath = given.jsonpath ?? stored.jsonpath
  if (jsonpath === undefined) return []
  const dialect = given.dialect ?? (stored.dialect as Dialect | undefined) ?? 'jsonpath2'
  const version = given.version ?? (stored.version as Version | undefined) ?? 'v0.1'
  try {
    const work = refuseWork(compileSubscription(jsonpath, dialect), version)
    return work === undefined ? [] : [{ path: '/jsonpath', message: work }]
  } catch (error) {
    if (!(error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError)) throw error
    const { message, hint, offset } = error
    return [
      {
        ...{ path: '/jsonpath', message },
        ...(hint === undefined ? {} : { hint }),
        ...(offset === undefined ? {} : { offset }),
      },
    ]
  }
}

function refuseTarget(needs: CheckNeeds, url: string): string | undefined {
  if (!url.startsWith('dispatch:')) return needs.refuseTarget(url)
  if (dispatcherOf(url) !== undefined) return undefined
  return 'must be dispatch://name, the name of 1 to 64 characters a-z, 0-9 and -'
}

/** RFC 3339 allows what neither JavaScript (a leap second) nor PostgreSQL (the year 0) can hold. */
function refuseTime(text: string): string | undefined {
  const year = new Date(text).getUTCFullYear()
  return year >= 1 && year <= 9999 ? undefined : `is a time that cannot be stored: ${text}`
}

function authMistakes(needs: CheckNeeds, given: SubscriptionChanges, stored: Stored): Mistake[] {
  if (given.auth === undefined) return []
  try {
    needs.secrets.sealAuth(given.auth, { uuid: stored.uuid ?? '', auth: stored.auth ?? '{}' })
    return []
  } catch (error) {
    if (!(error instanceof MaskedSecretError || error instanceof UnusableAuthError)) throw error
    return [{ path: error.path, message: error.message }]
  }
}

/** The canonical form of a uuid written in capitals, in braces, without dashes or as a URN; undefined for all else. */
export function canonicalUuid(text: string): string | undefined {
  const hex = text
    .replace(/^\{(.*)\}$/, '$1')
    .replace(/^urn:uuid:/i, '')
    .replaceAll('-', '')
    .toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(hex)) return undefined
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-')
}
