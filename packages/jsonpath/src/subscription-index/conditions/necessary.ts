/**
 * From an expression, of either dialect, to what must hold of every document it matches.
 *
 * By induction over the tree: a path selects something only if each of its filters held for some
 * value at the shape reached so far; `and` holds only if each term does; `or` only if some term does.
 * Nothing follows from `not`, from a call's result, or from a union of different kinds of step: there
 * the value itself must exist, and no more is said. In rfc9535 a missing value may equal another: two
 * sides of which neither is a literal say nothing, nor does `!=`.
 */

import { WORK_LIMITS } from '../../limits.ts'
import type {
  Comparable,
  Comparison,
  Expression,
  FunctionCall,
  Literal,
  Operand,
  Operator,
  Path,
  Relation,
  RelationOperator,
  Step,
  Sub,
} from '../../syntax/tree.ts'
import { isContainer } from '../../values/kinds.ts'
import { relate } from '../../values/relate.ts'
import { Work } from '../../work.ts'
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
    case 'where':
      return at(ANY, all([of(sub.expression), next]))
    case 'index':
    case 'slice':
    case 'span':
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
    case 'relation':
      return ofRelation(expression)
    case 'test':
      return all(expression.call.args.map((arg) => ofComparable(arg, EXISTS)))
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

function ofRelation({ left, operator, right }: Relation): Condition {
  if (right.kind === 'literal') return ofRelated(left, operator, right)
  if (left.kind === 'literal') return ofRelated(right, TURNED[operator], left)
  const needsBoth = operator === '<' || operator === '>'
  return needsBoth ? all([ofComparable(left, EXISTS), ofComparable(right, EXISTS)]) : EXISTS
}

/** Where the literal is not what a missing value would be related to: there must be one. */
function ofRelated(left: Comparable, operator: RelationOperator, right: Literal): Condition {
  if (left.kind === 'function' && left.name === 'count') {
    const [counted] = left.args
    const none = relate(0, operator, right.value, new Work(null, WORK_LIMITS))
    return none || counted === undefined ? EXISTS : ofComparable(counted, EXISTS)
  }
  return operator === '!=' ? EXISTS : ofComparable(left, related(operator, right))
}

function related(operator: RelationOperator, { value }: Literal): Condition {
  if (operator === '==') return { kind: 'equals', value }
  if (typeof value === 'string') return EXISTS
  if (typeof value === 'number')
    return { kind: 'ordered', side: operator.startsWith('<') ? 'below' : 'above', limit: value }
  // Only what is equal is neither less nor greater.
  return { kind: 'equals', value }
}

/** The comparable has a value, and `last` holds of it where it is that of a path. */
function ofComparable(comparable: Comparable, last: Condition): Condition {
  return comparable.kind === 'function' ? ofFunction(comparable, last) : ofOperand(comparable, last)
}

function ofFunction({ name, args: [arg] }: FunctionCall, last: Condition): Condition {
  if (arg === undefined || name === 'count') return EXISTS
  return ofComparable(arg, name === 'value' ? last : EXISTS)
}

const TURNED: Record<RelationOperator, RelationOperator> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
}
