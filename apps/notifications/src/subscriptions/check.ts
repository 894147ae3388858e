/**
 * What a schema cannot say about a subscription: its expression must compile, its target must be one that we may send
 * to, and what it says of itself must be true. All mistakes are reported together.
 */
import { type Dialect, JsonPathLimitError, JsonPathSyntaxError } from '@pacifica/jsonpath'
import { dispatcherOf } from '../deliver/target.ts'
import type { SubscriptionChanges } from './schema.ts'
import { compileSubscription } from './subscription.ts'

export interface Mistake {
  /** JSON pointer into the request's body. */
  readonly path: string
  readonly message: string
}

export class InvalidSubscriptionError extends Error {
  readonly code = 'SUBSCRIPTION_INVALID'
  readonly errors: readonly Mistake[]
  constructor(errors: readonly Mistake[]) {
    super(errors.map(({ path, message }) => `${path.slice(1)}: ${message}`).join('; '))
    this.errors = errors
  }
}

export interface CheckNeeds {
  /** Why an http(s) target is refused; undefined when it may be used. */
  readonly refuseTarget: (url: string) => string | undefined
}

/** Throws InvalidSubscriptionError with every mistake; `stored` is what an update changes. */
export function checkSubscription(
  needs: CheckNeeds,
  given: SubscriptionChanges,
  stored: { uuid?: string; user: string; dialect?: string },
): void {
  const mistakes: Mistake[] = []
  const add = (path: string, message: string | undefined) => {
    if (message !== undefined) mistakes.push({ path, message })
  }
  if (given.user !== undefined && given.user !== stored.user)
    add('/user', `is '${stored.user}' and cannot be changed`)
  if (given.uuid !== undefined && canonicalUuid(given.uuid) === undefined)
    add('/uuid', `'${given.uuid}' is no uuid`)
  else if (
    stored.uuid !== undefined &&
    given.uuid !== undefined &&
    canonicalUuid(given.uuid) !== stored.uuid
  )
    add('/uuid', `is ${stored.uuid} and cannot be changed`)
  if (given.jsonpath !== undefined)
    add(
      '/jsonpath',
      refuseExpression(
        given.jsonpath,
        given.dialect ?? (stored.dialect as Dialect | undefined) ?? 'jsonpath2',
      ),
    )
  if (given.target_url !== undefined) add('/target_url', refuseTarget(needs, given.target_url))
  if (mistakes.length > 0) throw new InvalidSubscriptionError(mistakes)
}

function refuseExpression(jsonpath: string, dialect: Dialect): string | undefined {
  try {
    compileSubscription(jsonpath, dialect)
    return undefined
  } catch (error) {
    if (error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError)
      return error.hint ? `${error.message}; ${error.hint}` : error.message
    throw error
  }
}

function refuseTarget(needs: CheckNeeds, url: string): string | undefined {
  if (!url.startsWith('dispatch:')) return needs.refuseTarget(url)
  if (dispatcherOf(url) !== undefined) return undefined
  return 'must be dispatch://name, the name of 1 to 64 characters a-z, 0-9 and -'
}

/** The canonical form of a uuid written in capitals, in braces or without dashes; undefined for anything else. */
export function canonicalUuid(text: string): string | undefined {
  const hex = text
    .replace(/^\{(.*)\}$/, '$1')
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
