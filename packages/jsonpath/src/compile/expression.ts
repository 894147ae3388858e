/** Conditions as closures; `and` and `or` stop as soon as the result is certain. */

import { operandsOf } from '../syntax/atoms.ts'
import { print } from '../syntax/print.ts'
import type { Bare, Expression, Operand, Path, Sub } from '../syntax/tree.ts'
import { isTrue } from '../values/truth.ts'
import { testComparison } from './comparison.ts'
import type { Compiler } from './compiler.ts'
import { scopeOf } from './constant.ts'
import { testCall, testRelation } from './relation.ts'
import { rememberTest } from './remember.ts'
import { stop, type Test } from './run.ts'

/** A filter's expression; one that searches is evaluated once for each node. */
export function testFilter(compiler: Compiler, expression: Expression): Test {
  const test = testExpression(compiler, expression)
  return searches(expression) ? rememberTest(test, compiler.slot()) : test
}

function testExpression(compiler: Compiler, expression: Expression): Test {
  switch (expression.kind) {
    case 'and':
      return all(expression.terms.map((term) => testExpression(compiler, term)))
    case 'or':
      return any(expression.terms.map((term) => testExpression(compiler, term)))
    case 'not': {
      const test = testExpression(compiler, expression.term)
      return (current, run) => !test(current, run)
    }
    case 'comparison':
      return testComparison(compiler, expression)
    case 'bare':
      return testBare(compiler, expression)
    case 'relation':
      return testRelation(compiler, expression)
    case 'test':
      return testCall(compiler, expression)
  }
}

function all(tests: readonly Test[]): Test {
  const cost = tests.length >>> 3
  return (current, run) => {
    run.work.spend(cost)
    for (const test of tests) if (!test(current, run)) return false
    return true
  }
}

function any(tests: readonly Test[]): Test {
  const cost = tests.length >>> 3
  return (current, run) => {
    run.work.spend(cost)
    for (const test of tests) if (test(current, run)) return true
    return false
  }
}

function testBare(compiler: Compiler, { operand }: Bare): Test {
  if (operand.kind === 'literal') {
    const holds = isTrue(operand.value)
    return () => holds
  }
  if (operand.origin === '@') return exists(compiler, operand)
  return compiler.constant(`some ${print(operand)}`, scopeOf(operand), () =>
    exists(compiler, operand),
  )
}

function exists(compiler: Compiler, path: Path): Test {
  const visit = compiler.path(path, stop, { mode: 'exists', fresh: false })
  return (current, run) => {
    run.work.spend(1)
    return visit(current, run)
  }
}

/** There is a `..` on the current value; what starts at `$` is kept for the whole run anyway. */
function searches(expression: Expression): boolean {
  return operandsOf(expression).some(operandSearches)
}

function operandSearches(operand: Operand): boolean {
  if (operand.kind === 'literal' || operand.origin === '$') return false
  return operand.steps.some((step) => step.descends || step.subs.some(subSearches))
}

function subSearches(sub: Sub): boolean {
  if (sub.kind === 'filter' || sub.kind === 'where') return searches(sub.expression)
  if (sub.kind === 'subpath') return operandSearches(sub.path)
  return sub.kind === 'call' && sub.args.some(operandSearches)
}
