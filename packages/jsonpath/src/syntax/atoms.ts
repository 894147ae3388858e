/** The conditions of an expression without the and, or and not between them. */

import type { Bare, Comparison, Expression, Operand } from './tree.ts'

export function atomsOf(expression: Expression): (Bare | Comparison)[] {
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
  return atomsOf(expression).flatMap((atom) =>
    atom.kind === 'bare' ? [atom.operand] : [atom.left, atom.right],
  )
}
