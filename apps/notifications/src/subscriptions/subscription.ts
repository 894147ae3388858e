/**
 * A subscription as the API shows it. Keys and their order are those of the Python service; ours follow.
 */
import {
  type CompiledPath,
  compile,
  type Dialect,
  type Part,
  unindexedPart,
} from '@pacifica/jsonpath'
import type { EventMatch } from '../database/generated/client.ts'
import { iso } from '../history/delivery-view.ts'
import { maskAuth } from './secrets.ts'

export type Version = 'v0.1' | 'v1.0'

export interface SubscriptionView {
  uuid: string
  name: string
  jsonpath: string
  user: string
  disabled: string | null
  error: string | null
  target_url: string
  version: string
  extensions: object
  auth: object
  created: string
  updated: string
  deleted: string | null
  dialect: string
  indexed: boolean
  max_concurrency: number | null
  retry: object | null
  signing: boolean
  warnings: string[]
  health: { last_success: string | null; failing_since: string | null; disables_at: string | null }
}

/** Times are RFC 3339 in UTC; secrets are masked. `disableAfterMs` gives the countdown of a failing subscription. */
export function view(row: EventMatch, options: { disableAfterMs: number }): SubscriptionView {
  const { indexed, warnings } = readingOf(row)
  return {
    uuid: row.uuid,
    name: row.name,
    jsonpath: row.jsonpath,
    user: row.user,
    disabled: iso(row.disabled),
    error: row.error,
    target_url: row.targetUrl,
    version: row.version,
    extensions: objectIn(row.extensions),
    auth: maskAuth(objectIn(row.auth)),
    created: row.created.toISOString(),
    updated: row.updated.toISOString(),
    deleted: iso(row.deleted),
    dialect: row.dialect,
    indexed,
    max_concurrency: row.maxConcurrency,
    retry: retryView(row.retry as StoredRetry | null),
    signing: row.signing !== null,
    warnings,
    health: health(row, options.disableAfterMs),
  }
}

/** A row of another service's making must not keep its owner from seeing all the others. */
function objectIn(text: string): object {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
  } catch {
    return {}
  }
}

interface StoredRetry {
  readonly maxAttempts?: number
  readonly delaysMs?: readonly number[]
}

/** Milliseconds inside, seconds on the wire. */
function retryView(retry: StoredRetry | null): object | null {
  if (retry === null) return null
  const { maxAttempts, delaysMs } = retry
  return {
    ...(maxAttempts === undefined ? {} : { max_attempts: maxAttempts }),
    ...(delaysMs === undefined ? {} : { delays: delaysMs.map((ms) => ms / 1000) }),
  }
}

function health(row: EventMatch, disableAfterMs: number): SubscriptionView['health'] {
  const failing = row.disabled === null ? row.failingSince : null
  return {
    last_success: iso(row.lastSuccess),
    failing_since: iso(row.failingSince),
    disables_at: failing && new Date(failing.getTime() + disableAfterMs).toISOString(),
  }
}

/** Compiles as subscriptions do: an expression that does not begin with `$` is read as if `$.` stood before it. */
export function compileSubscription(jsonpath: string, dialect: Dialect): CompiledPath {
  return compile(jsonpath, { dialect, root: 'optional' })
}

/** Because of what events cannot find the expression by an index; undefined: they can. */
export function unindexedIn(jsonpath: string, dialect: Dialect): Part | undefined {
  return unindexedPart(compileSubscription(jsonpath, dialect).path, dialect)
}

/** An expression that came from another service's table may be refused; its error is in `error` then. */
function readingOf(row: EventMatch): Pick<SubscriptionView, 'indexed' | 'warnings'> {
  const dialect = row.dialect as Dialect
  try {
    const { path, warnings } = compileSubscription(row.jsonpath, dialect)
    const indexed = unindexedPart(path, dialect) === undefined
    return { indexed, warnings: warnings.map(({ message }) => message) }
  } catch {
    return { indexed: false, warnings: [] }
  }
}
