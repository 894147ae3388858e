/** What an expression says of a value: what it selects there, or why it selects nothing. */
import type { CompiledPath } from '../compile/compile.ts'
import { JsonPathLimitError } from '../errors.ts'
import { type FailedClause, failedClause } from './failed-clause.ts'

/** What an expression says of a value. */
export interface Explanation {
  /** Null: it cannot be said, and `error` says why. */
  readonly matches: boolean | null
  /** How many values it selects, duplicates counted. */
  readonly count: number
  /** The first of them, 1 000 and 256 Ki characters of JSON at most. */
  readonly values: readonly unknown[]
  /** Values were left out: there are too many, or they are too large. */
  readonly truncated: boolean
  /** Where it came to nothing; null when it matches, or that cannot be said. */
  readonly failed: FailedClause | null
  /** Why something cannot be said; null when all is. */
  readonly error: string | null
}

const MOST_VALUES = 1000
/** Of JSON text, in characters. */
const MOST_SIZE = 256 * 1024

/**
 * Never throws: over its budget, `matches` is null and `error` says so. Costs no more than a few matches.
 * @param expression as `compile` made it
 * @param value a JSON value, as `JSON.parse` returns it
 */
export function explain(expression: CompiledPath, value: unknown): Explanation {
  const matches = within(() => expression.test(value))
  if (typeof matches === 'string')
    return { ...UNEXPLAINED, error: `the expression cannot be evaluated: ${matches}` }
  if (!matches) return unmatched(expression, value)
  const selected = within(() => expression.select(value))
  if (typeof selected === 'string')
    return { ...UNEXPLAINED, matches: true, truncated: true, error: `it matches, but ${selected}` }
  const values = fitting(selected)
  const truncated = values.length < selected.length
  return { ...UNEXPLAINED, matches: true, count: selected.length, values, truncated }
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

/** Nothing can be said. */
export const UNEXPLAINED: Explanation = {
  matches: null,
  count: 0,
  values: [],
  truncated: false,
  failed: null,
  error: null,
}

function unmatched(expression: CompiledPath, value: unknown): Explanation {
  const failed = failedClause(expression, value) ?? null
  const error = failed === null ? 'it selects nothing; finding out where took too much work' : null
  return { ...UNEXPLAINED, matches: false, failed, error }
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
