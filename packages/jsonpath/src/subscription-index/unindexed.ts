/** Why an expression cannot be looked up: which part of it says nothing that a match must have. */

import type { Dialect } from '../parse.ts'
import { print, printExpression } from '../syntax/print.ts'
import type { Expression, Filter, Path, Step, Where } from '../syntax/tree.ts'
import { necessary } from './conditions/necessary.ts'
import { planOf } from './conditions/plan.ts'

/** A part of an expression. */
export interface Part {
  /** In canonical form. */
  readonly text: string
  /** Where it begins in the expression as given, in UTF-16 units. */
  readonly offset: number
}

/**
 * The part because of which an expression is evaluated for every value; undefined: it is indexed.
 * @param path what `parse` made of the expression
 * @param dialect in which the part is written
 */
export function unindexedPart(path: Path, dialect: Dialect): Part | undefined {
  if (canBeLookedUp(path.steps)) return undefined
  for (const [at, step] of path.steps.entries()) {
    const [only, ...others] = step.subs
    if (others.length === 0 && (only?.kind === 'filter' || only?.kind === 'where')) {
      const place = { before: path.steps.slice(0, at), step, filter: only }
      const part = blamed(place, only.expression)
      return { text: printExpression(part, dialect), offset: part.offset }
    }
  }
  return { text: print(path, dialect), offset: path.offset }
}

/** Where a condition stands. */
interface Place {
  readonly before: readonly Step[]
  readonly step: Step
  readonly filter: Filter | Where
}

/** Of several alternatives, the first that cannot be looked up; of all else, all of it. */
function blamed(place: Place, expression: Expression): Expression {
  if (expression.kind !== 'or') return expression
  const term = expression.terms.find((one) => !canBeLookedUp(stepsTo(place, one)))
  return term === undefined ? expression : blamed(place, term)
}

function stepsTo({ before, step, filter }: Place, expression: Expression): Step[] {
  return [...before, { ...step, subs: [{ ...filter, expression }] }]
}

function canBeLookedUp(steps: readonly Step[]): boolean {
  return planOf(necessary({ kind: 'path', origin: '$', steps, offset: 0 })) !== undefined
}
