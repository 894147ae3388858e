/**
 * Comparisons: some value on the left and some on the right for which the operator holds. The values
 * of one side stream past the other side's, which are gathered first: once in a run where they
 * depend on the document only.
 */

import { print, printOperand } from '../syntax/print.ts'
import { isSingular } from '../syntax/singular.ts'
import type { Comparison, Literal, Operand, Operator, Path } from '../syntax/tree.ts'
import { compare } from '../values/compare.ts'
import type { Compiler, Evaluate } from './compiler.ts'
import { type Scope, scopeOf } from './constant.ts'
import { collectPath } from './path.ts'
import type { Run, Test, Visit } from './run.ts'
import { ValueList } from './value-list.ts'
import { Values } from './values.ts'

/** The side that streams, the side that is gathered; `flipped` if the streaming side is the right. */
interface Sides {
  readonly stream: Path
  readonly gathered: Operand
  readonly operator: Operator
  readonly flipped: boolean
}

export function testComparison(compiler: Compiler, comparison: Comparison): Test {
  const { left, right, operator } = comparison
  if (left.kind === 'literal' && right.kind === 'literal') {
    return testLiterals(compiler, left, operator, right)
  }
  const sides = sidesOf(comparison)
  if (isConstant(left) && isConstant(right)) {
    const key = `${printOperand(left)} ${operator} ${printOperand(right)}`
    return compiler.constant(key, scopeOfPair(left, right), () => testSides(compiler, sides))
  }
  return testSides(compiler, sides)
}

/** Pairs with literals are as many as there are expressions: their list is shared instead. */
function scopeOfPair(left: Operand, right: Operand): Scope {
  return left.kind === 'path' && right.kind === 'path' ? 'shared' : 'run'
}

/** What depends on the current value streams; otherwise the left side, if it is a path. */
function sidesOf({ left, right, operator }: Comparison): Sides {
  if (
    right.kind === 'path' &&
    isConstant(left) &&
    (left.kind === 'literal' || !isConstant(right))
  ) {
    return { stream: right, gathered: left, operator, flipped: true }
  }
  return { stream: left as Path, gathered: right, operator, flipped: false }
}

function isConstant(operand: Operand): boolean {
  return operand.kind === 'literal' || operand.origin === '$'
}

function testSides(compiler: Compiler, sides: Sides): Test {
  const { gathered } = sides
  if (gathered.kind === 'literal') return testAgainstLiteral(compiler, sides, gathered)
  return gathered.origin === '$'
    ? testAgainstDocument(compiler, sides, gathered)
    : testAgainstCurrent(compiler, sides, gathered)
}

function testLiterals(compiler: Compiler, left: Literal, operator: Operator, right: Literal): Test {
  const key = `${printOperand(left)} ${operator} ${printOperand(right)}`
  return compiler.constant(
    key,
    'run',
    () => (_current, run) => compare(left.value, operator, right.value, run.work),
  )
}

function testAgainstLiteral(compiler: Compiler, sides: Sides, literal: Literal): Test {
  if (sides.stream.origin === '$' && !isSingular(sides.stream)) {
    return testDocument(compiler, sides, literal)
  }
  const visit = visitLiteral(sides, literal.value)
  return compiler.path(sides.stream, visit, { mode: 'exists', fresh: false })
}

/** `$.data[*].size > 5`: every expression that asks for the same path shares its values. */
function testDocument(compiler: Compiler, sides: Sides, literal: Literal): Test {
  const list = listOf(compiler, sides.stream)
  const question = { operator: sides.operator, flipped: !sides.flipped }
  return (_current, run) => list(undefined, run).holds(literal.value, question, run.work)
}

/** The commonest condition of all, `@.name = "text"`, needs no more than one `===`. */
function visitLiteral({ operator, flipped }: Sides, literal: unknown): Visit {
  if (operator === '=' && typeof literal === 'string') {
    return (value, run) => {
      run.work.spend(1)
      return value === literal
    }
  }
  return (value, run) => {
    run.work.spend(1)
    return flipped
      ? compare(literal, operator, value, run.work)
      : compare(value, operator, literal, run.work)
  }
}

function testAgainstDocument(compiler: Compiler, sides: Sides, path: Path): Test {
  const list = listOf(compiler, path)
  const visit: Visit = (value, run) => list(undefined, run).holds(value, sides, run.work)
  return compiler.path(sides.stream, visit, { mode: 'exists', fresh: false })
}

/** The values of a `$` path. They may be shared; what is remembered about questions is the run's. */
function listOf(compiler: Compiler, path: Path): Evaluate<ValueList> {
  const text = print(path)
  const values = compiler.constant(`values ${text}`, scopeOf(path), () => {
    const collect = collectPath(compiler, path, 'exists')
    return (current, run) => new Values(collect(current, run), run.work)
  })
  return compiler.constant(
    `list ${text}`,
    'run',
    () => (current, run) => new ValueList(values(current, run)),
  )
}

/** Both sides start at the current value: the right one is gathered when the left has a value. */
function testAgainstCurrent(compiler: Compiler, sides: Sides, path: Path): Test {
  const collect = compiler.collect(path, 'exists')
  const [currentSlot, listSlot] = [compiler.slot(), compiler.slot()]
  const gathered = (run: Run): ValueList => {
    const known = run.slots[listSlot] as ValueList | undefined
    if (known) return known
    const list = new ValueList(new Values(collect(run.slots[currentSlot], run), run.work))
    run.slots[listSlot] = list
    return list
  }
  const visit = compiler.path(
    sides.stream,
    (value, run) => gathered(run).holds(value, sides, run.work),
    {
      mode: 'exists',
      fresh: true,
    },
  )
  return (current, run) => {
    run.slots[currentSlot] = current
    run.slots[listSlot] = undefined
    return visit(current, run)
  }
}
