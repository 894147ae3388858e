/** What an expression says of an event: the values that it selects, or why it selects none. Pure. */
import type { Event } from '@pacifica/core'
import { type CompiledPath, JsonPathLimitError } from '@pacifica/jsonpath'
import { type FailedClause, failedClause } from './failed-clause.ts'
import type { Version } from './subscription.ts'

export interface Explanation {
  /** Null: it cannot be said, and `error` says why. */
  readonly matches: boolean | null
  /** How many values it selects, duplicates counted. */
  readonly count: number
  readonly values: readonly unknown[]
  /** Values were left out: there are too many, or they are too large. */
  readonly truncated: boolean
  readonly failed: FailedClause | null
  readonly error: string | null
}

const MOST_VALUES = 1000
/** Of JSON text, in characters. */
const MOST_SIZE = 256 * 1024

export function explain(expression: CompiledPath, event: Event, version: Version): Explanation {
  const document = event.project(version)
  const matches = within(() => expression.test(document))
  if (typeof matches === 'string')
    return { ...NOTHING, error: `the expression cannot be evaluated on this event: ${matches}` }
  if (!matches) return unmatched(expression, document)
  const selected = within(() => expression.select(document))
  if (typeof selected === 'string')
    return { ...NOTHING, matches: true, truncated: true, error: `it matches, but ${selected}` }
  const values = fitting(selected)
  const truncated = values.length < selected.length
  return { ...NOTHING, matches: true, count: selected.length, values, truncated }
}

/** A text says why the budget was not enough. */
function within<T>(work: () => T): T | string {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof JsonPathLimitError)) throw error
    return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`
  }
}

export const NOTHING: Explanation = {
  matches: null,
  count: 0,
  values: [],
  truncated: false,
  failed: null,
  error: null,
}

function unmatched(expression: CompiledPath, document: unknown): Explanation {
  const failed = failedClause(expression, document) ?? null
  const error = failed === null ? 'it selects nothing; finding out where took too much work' : null
  return { ...NOTHING, matches: false, failed, error }
}

/** The first values, as far as they may be shown. */
function fitting(selected: readonly unknown[]): unknown[] {
  const values: unknown[] = []
  let size = 0
  for (const value of selected.slice(0, MOST_VALUES)) {
    size += JSON.stringify(value).length
    if (size > MOST_SIZE) break
    values.push(value)
  }
  return values
}
