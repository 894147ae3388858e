/** One pair of values and an operator. Whole paths are compared pair by pair: some pair must hold. */

import type { Operator } from '../syntax/tree.ts'
import type { Work } from '../work.ts'
import { contains } from './contains.ts'
import { equals } from './equals.ts'
import { asNumber } from './kinds.ts'

export function compare(left: unknown, operator: Operator, right: unknown, work: Work): boolean {
  switch (operator) {
    case '=':
      return equals(left, right, work)
    case '!=':
      return !equals(left, right, work)
    case 'contains':
      return contains(left, right, work)
    default:
      return ordered(asNumber(left), operator, asNumber(right))
  }
}

/** Numbers and booleans only: every order of a text, null, array or object is false. */
export function ordered(
  left: number | undefined,
  operator: '<' | '<=' | '>' | '>=',
  right: number | undefined,
): boolean {
  if (left === undefined || right === undefined) return false
  switch (operator) {
    case '<':
      return left < right
    case '<=':
      return left <= right
    case '>':
      return left > right
    case '>=':
      return left >= right
  }
}
