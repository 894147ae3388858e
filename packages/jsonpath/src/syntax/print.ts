/** Canonical text: brackets everywhere, parentheses around a group inside a group. */

import type {
  Call,
  Expression,
  Filter,
  Json,
  Literal,
  Operand,
  Path,
  Slice,
  Step,
  Sub,
} from './tree.ts'

/** Text that parses to the same tree (offsets aside). Equal texts mean equal expressions. */
export function print(path: Path): string {
  return path.origin + path.steps.map(printStep).join('')
}

function printStep(step: Step): string {
  return `${step.descends ? '..' : ''}[${step.subs.map(printSub).join(',')}]`
}

function printSub(sub: Sub): string {
  switch (sub.kind) {
    case 'name':
      return JSON.stringify(sub.name)
    case 'index':
      return String(sub.index)
    case 'slice':
      return printSlice(sub)
    case 'wildcard':
      return '*'
    case 'filter':
      return printFilter(sub)
    case 'subpath':
      return print(sub.path)
    case 'call':
      return printCall(sub)
  }
}

function printSlice({ start, end, step }: Slice): string {
  const tail = step === undefined ? '' : `:${step}`
  return `${start ?? ''}:${end ?? ''}${tail}`
}

function printFilter(filter: Filter): string {
  return `?(${printExpression(filter.expression)})`
}

function printCall(call: Call): string {
  return `${call.name}(${call.args.map(printOperand).join(',')})`
}

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'and':
    case 'or':
      return expression.terms.map(printTerm).join(` ${expression.kind} `)
    case 'not':
      return `not ${printTerm(expression.term)}`
    case 'comparison': {
      const { left, operator, right } = expression
      return `${printOperand(left)} ${operator} ${printOperand(right)}`
    }
    case 'bare':
      return printOperand(expression.operand)
  }
}

function printTerm(term: Expression): string {
  const text = printExpression(term)
  return term.kind === 'and' || term.kind === 'or' ? `(${text})` : text
}

export function printOperand(operand: Operand): string {
  return operand.kind === 'path' ? print(operand) : printLiteral(operand)
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
