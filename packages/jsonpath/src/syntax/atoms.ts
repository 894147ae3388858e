/** The conditions of an expression without the and, or and not between them. */

import type { Bare, Comparable, Comparison, Expression, Operand, Relation, Test } from './tree.ts'

export function atomsOf(expression: Expression): (Bare | Comparison | Relation | Test)[] {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms.flatMap(atomsOf)
    case 'not':
      return atomsOf(expression.term)
    default:
      return [expression]
  }
}

/** The paths and literals that an expression compares or asks for, in their order. */
export function operandsOf(expression: Expression): Operand[] {
  return atomsOf(expression).flatMap(partsOf).flatMap(operandsIn)
}

function partsOf(atom: Bare | Comparison | Relation | Test): Comparable[] {
  switch (atom.kind) {
    case 'bare':
      return [atom.operand]
    case 'test':
      return [atom.call]
    default:
      return [atom.left, atom.right]
  }
}

/** Those that a function takes, too. */
export function operandsIn(comparable: Comparable): Operand[] {
  return comparable.kind === 'function' ? comparable.args.flatMap(operandsIn) : [comparable]
}
