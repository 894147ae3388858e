/** Patterns that take time in proportion to the text, whatever they and the text are. */

import { RE2JS, RE2JSException } from 're2js'
import type { Work } from '../work.ts'
import { checkPattern } from './i-regexp.ts'

export interface Pattern {
  /** The whole text. */
  matches(text: string, work: Work): boolean
  /** Some part of it. */
  finds(text: string, work: Work): boolean
}

/**
 * Undefined: it is no I-Regexp, and nothing matches it.
 * Throws a JsonPathLimitError for a pattern that is too long, or repeats too often.
 */
export function patternOf(source: string): Pattern | undefined {
  const checked = checkPattern(source)
  const engine = checked && engineFor(checked.text)
  if (!checked || !engine) return undefined
  const pay = (text: string, work: Work) => work.spend(1 + ((text.length * checked.size) >>> 4))
  return {
    matches(text, work) {
      pay(text, work)
      return engine.testExact(text)
    },
    finds(text, work) {
      pay(text, work)
      return engine.test(text)
    },
  }
}

/** Steps that making a pattern costs where it comes from the value and not from the expression. */
export const PATTERN_STEPS = 500

/** What the grammar allows and means nothing: `[b-a]`, `a{2,1}`. */
function engineFor(text: string): RE2JS | undefined {
  try {
    return RE2JS.compile(text)
  } catch (error) {
    if (error instanceof RE2JSException) return undefined
    throw error
  }
}
