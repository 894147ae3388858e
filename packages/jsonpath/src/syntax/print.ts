/** Canonical text: brackets everywhere, parentheses around a group inside a group. */

import type { Dialect } from '../parse.ts'
import type {
  Comparable,
  Expression,
  Json,
  Literal,
  Operand,
  Path,
  Slice,
  Span,
  Step,
  Sub,
} from './tree.ts'

/** How a dialect writes what both of them have. */
interface Spelling {
  readonly and: string
  readonly or: string
  readonly not: string
  /** Conditions that stand in parentheses after `not`. */
  readonly grouped: readonly Expression['kind'][]
}

const SPELLINGS: Record<Dialect, Spelling> = {
  jsonpath2: { and: ' and ', or: ' or ', not: 'not ', grouped: ['and', 'or'] },
  rfc9535: { and: ' && ', or: ' || ', not: '!', grouped: ['and', 'or', 'not', 'relation'] },
}

/**
 * Text that parses to the same tree (offsets aside). Equal texts mean equal expressions.
 * @param path a tree
 * @param dialect to write it in: the one that it was read from
 */
export function print(path: Path, dialect: Dialect = 'jsonpath2'): string {
  return printPath(path, SPELLINGS[dialect])
}

/**
 * The same for a condition: what stands between the parentheses of a filter.
 * @param expression its tree
 * @param dialect to write it in
 */
export function printExpression(expression: Expression, dialect: Dialect = 'jsonpath2'): string {
  return printCondition(expression, SPELLINGS[dialect])
}

export function printOperand(operand: Operand): string {
  return printPart(operand, SPELLINGS.jsonpath2)
}

function printPath({ origin, steps }: Path, spelling: Spelling): string {
  return origin + steps.map((step) => printStep(step, spelling)).join('')
}

function printStep({ descends, subs }: Step, spelling: Spelling): string {
  return `${descends ? '..' : ''}[${subs.map((sub) => printSub(sub, spelling)).join(',')}]`
}

function printSub(sub: Sub, spelling: Spelling): string {
  switch (sub.kind) {
    case 'name':
      return JSON.stringify(sub.name)
    case 'index':
      return String(sub.index)
    case 'slice':
    case 'span':
      return printSlice(sub)
    case 'wildcard':
      return '*'
    case 'filter':
      return `?(${printCondition(sub.expression, spelling)})`
    case 'where':
      return `?${printCondition(sub.expression, spelling)}`
    case 'subpath':
      return printPath(sub.path, spelling)
    case 'call':
      return `${sub.name}(${sub.args.map((arg) => printPart(arg, spelling)).join(',')})`
  }
}

function printSlice({ start, end, step }: Slice | Span): string {
  const tail = step === undefined ? '' : `:${step}`
  return `${start ?? ''}:${end ?? ''}${tail}`
}

function printCondition(expression: Expression, spelling: Spelling): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms
        .map((term) => printTerm(term, spelling))
        .join(spelling[expression.kind])
    case 'not': {
      const term = printCondition(expression.term, spelling)
      const grouped = spelling.grouped.includes(expression.term.kind)
      return spelling.not + (grouped ? `(${term})` : term)
    }
    case 'comparison':
    case 'relation': {
      const { left, operator, right } = expression
      return `${printPart(left, spelling)} ${operator} ${printPart(right, spelling)}`
    }
    case 'bare':
      return printPart(expression.operand, spelling)
    case 'test':
      return printPart(expression.call, spelling)
  }
}

function printTerm(term: Expression, spelling: Spelling): string {
  const text = printCondition(term, spelling)
  return term.kind === 'and' || term.kind === 'or' ? `(${text})` : text
}

function printPart(part: Comparable, spelling: Spelling): string {
  switch (part.kind) {
    case 'path':
      return printPath(part, spelling)
    case 'literal':
      return printLiteral(part)
    case 'function':
      return `${part.name}(${part.args.map((arg) => printPart(arg, spelling)).join(',')})`
  }
}

function printLiteral({ value, float }: Literal): string {
  if (typeof value !== 'number') return printJson(value)
  return float ? printFloat(value) : printWhole(value)
}

function printJson(value: Json): string {
  if (typeof value === 'number') return printFloat(value, '')
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(printJson).join(',')}]`
  const pairs = Object.entries(value).map(
    ([key, item]) => `${JSON.stringify(key)}:${printJson(item)}`,
  )
  return `{${pairs.join(',')}}`
}

function printFloat(value: number, point = '.0'): string {
  if (!Number.isFinite(value)) return value > 0 ? '1e999' : '-1e999'
  const text = String(value)
  return /[.e]/.test(text) ? text : text + point
}

/** Without an exponent, which would make it a float. */
function printWhole(value: number): string {
  if (Number.isFinite(value)) return BigInt(value).toString()
  return `${value > 0 ? '' : '-'}1${'0'.repeat(309)}`
}
