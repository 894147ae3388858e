/**
 * From an expression of jsonpath2 to what must hold of every document it matches.
 *
 * By induction over the tree: a path selects something only if each of its filters held for some
 * value at the shape reached so far; `and` holds only if each term does; `or` only if some term does.
 * Nothing follows from `not`, from a call's result, or from a union of different kinds of step: there
 * the value itself must exist, and no more is said.
 */

import type {
  Comparison,
  Expression,
  Literal,
  Operand,
  Operator,
  Path,
  Step,
  Sub,
} from '../../syntax/tree.ts'
import { isContainer } from '../../values/kinds.ts'
import { ANY, all, any, at, type Condition, DEEP, EXISTS } from './condition.ts'

/** What must hold of a document for the path to select anything from it. */
export function necessary(path: Path): Condition {
  return ofSteps(path.steps, EXISTS)
}

/** Seen from the value at hand; `last` is said of what the path selects. */
function ofPath({ origin, steps }: Path, last: Condition): Condition {
  const condition = ofSteps(steps, last)
  return origin === '$' ? { kind: 'root', inner: condition } : condition
}

function ofSteps(steps: readonly Step[], last: Condition): Condition {
  return steps.reduceRight((next, step) => {
    const here = ofSubs(step.subs, next)
    return step.descends ? at(DEEP, here) : here
  }, last)
}

function ofSubs(subs: readonly Sub[], next: Condition): Condition {
  const [sub] = subs
  if (subs.length === 1 && sub) return ofSub(sub, next)
  if (subs.every(isFilter)) return all([any(subs.map(({ expression }) => of(expression))), next])
  return subs.every(isChild) ? at(ANY, next) : EXISTS
}

function ofSub(sub: Sub, next: Condition): Condition {
  switch (sub.kind) {
    case 'name':
      return at(sub.name, next)
    case 'filter':
      return all([of(sub.expression), next])
    case 'subpath':
      return all([ofPath(sub.path, EXISTS), at(ANY, next)])
    case 'index':
    case 'slice':
    case 'wildcard':
      return at(ANY, next)
    default:
      return EXISTS
  }
}

function isFilter(sub: Sub): sub is Extract<Sub, { kind: 'filter' }> {
  return sub.kind === 'filter'
}

function isChild({ kind }: Sub): boolean {
  return kind !== 'filter' && kind !== 'call'
}

function of(expression: Expression): Condition {
  switch (expression.kind) {
    case 'and':
      return all(expression.terms.map(of))
    case 'or':
      return any(expression.terms.map(of))
    case 'comparison':
      return ofComparison(expression)
    case 'bare':
      return ofOperand(expression.operand, EXISTS)
    default:
      return EXISTS
  }
}

/** Whatever the operator, both sides have a value. */
function ofComparison({ left, operator, right }: Comparison): Condition {
  const ofLeft = right.kind === 'literal' ? against(right, operator) : EXISTS
  const ofRight = left.kind === 'literal' ? against(left, MIRRORED[operator]) : EXISTS
  return all([ofOperand(left, ofLeft), ofOperand(right, ofRight)])
}

function ofOperand(operand: Operand, last: Condition): Condition {
  return operand.kind === 'path' ? ofPath(operand, last) : EXISTS
}

/** What must hold of a value that stands on the left of the operator. */
function against({ value }: Literal, operator: Operator | undefined): Condition {
  switch (operator) {
    case '=':
      return { kind: 'equals', value }
    case '<':
    case '<=':
      return isContainer(value) ? EXISTS : ordered('below', value)
    case '>':
    case '>=':
      return isContainer(value) ? EXISTS : ordered('above', value)
    default:
      return EXISTS
  }
}

function ordered(side: 'above' | 'below', value: unknown): Condition {
  if (typeof value === 'boolean') return { kind: 'ordered', side, limit: Number(value) }
  return typeof value === 'number' ? { kind: 'ordered', side, limit: value } : EXISTS
}

const MIRRORED: Partial<Record<Operator, Operator>> = {
  '=': '=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}
