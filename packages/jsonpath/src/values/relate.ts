/**
 * The comparisons of RFC 9535 (2.3.5.2.2). A missing value, `undefined` here, equals a missing value
 * and nothing else; only two numbers, or two texts, have an order.
 */

import type { RelationOperator } from '../syntax/tree.ts'
import type { Work } from '../work.ts'
import { same, textCost } from './equals.ts'

export function relate(
  left: unknown,
  operator: RelationOperator,
  right: unknown,
  work: Work,
): boolean {
  switch (operator) {
    case '==':
      return same(left, right, work)
    case '!=':
      return !same(left, right, work)
    case '<':
      return isLess(left, right, work)
    case '>':
      return isLess(right, left, work)
    case '<=':
      return isLess(left, right, work) || same(left, right, work)
    case '>=':
      return isLess(right, left, work) || same(left, right, work)
  }
}

function isLess(left: unknown, right: unknown, work: Work): boolean {
  if (typeof left === 'number' && typeof right === 'number') return left < right
  if (typeof left !== 'string' || typeof right !== 'string') return false
  work.spend(textCost(Math.min(left.length, right.length)))
  return isBefore(left, right)
}

/** By code points: JavaScript's own order has U+1F600 before U+FF5E. */
function isBefore(left: string, right: string): boolean {
  const end = Math.min(left.length, right.length)
  let at = 0
  while (at < end && left.charCodeAt(at) === right.charCodeAt(at)) at += 1
  if (at === end) return left.length < right.length
  return rank(left.charCodeAt(at)) < rank(right.charCodeAt(at))
}

/** Halves of pairs come after all else. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
