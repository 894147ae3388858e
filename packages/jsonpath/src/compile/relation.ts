/** The conditions of rfc9535 that are not paths alone: two values compared, and patterns. */

import { lengthOf, onlyOf } from '../rfc9535/functions.ts'
import { PATTERN_STEPS, type Pattern, patternOf } from '../rfc9535/pattern.ts'
import { printExpression } from '../syntax/print.ts'
import type {
  Comparable,
  Expression,
  FunctionCall,
  Path,
  Relation,
  Test as Tested,
} from '../syntax/tree.ts'
import { isList, isMembers } from '../values/kinds.ts'
import { relate } from '../values/relate.ts'
import type { Compiler, Evaluate } from './compiler.ts'
import type { Test } from './run.ts'

export function testRelation(compiler: Compiler, relation: Relation): Test {
  return onceIfConstant(compiler, relation, [relation.left, relation.right], () => {
    const { operator } = relation
    const left = valueBehind(compiler, relation.left)
    const right = valueBehind(compiler, relation.right)
    return (current, run) => {
      run.work.spend(1)
      return relate(left(current, run), operator, right(current, run), run.work)
    }
  })
}

export function testCall(compiler: Compiler, test: Tested): Test {
  const { name, args } = test.call
  return onceIfConstant(compiler, test, args, () => {
    const [text, pattern] = [args[0], args[1]]
    if (text === undefined || pattern === undefined) return () => false
    const textOf = valueBehind(compiler, text)
    const pick = picker(compiler, pattern)
    return (current, run) => {
      const value = textOf(current, run)
      const chosen = pick(current, run)
      run.work.spend(1)
      if (typeof value !== 'string' || chosen === undefined) return false
      return name === 'match' ? chosen.matches(value, run.work) : chosen.finds(value, run.work)
    }
  })
}

/** What depends on the document only is evaluated once in a run. */
function onceIfConstant(
  compiler: Compiler,
  expression: Expression,
  parts: readonly Comparable[],
  make: () => Test,
): Test {
  return parts.every(isConstant)
    ? compiler.constant(`holds ${printExpression(expression)}`, 'run', make)
    : make()
}

function isConstant(part: Comparable): boolean {
  if (part.kind === 'function') return part.args.every(isConstant)
  return part.kind === 'literal' || part.origin === '$'
}

/** One value, or undefined for none. */
function valueBehind(compiler: Compiler, comparable: Comparable): Evaluate<unknown> {
  switch (comparable.kind) {
    case 'literal': {
      const { value } = comparable
      return () => value
    }
    case 'path':
      return walkTo(comparable)
    case 'function':
      return resultOf(compiler, comparable)
  }
}

/** Names and indices only. */
function walkTo({ origin, steps }: Path): Evaluate<unknown> {
  const keys = steps.map(({ subs: [sub] }) => {
    if (sub?.kind === 'name') return sub.name
    return sub?.kind === 'index' ? sub.index : undefined
  })
  const cost = keys.length >>> 3
  return (current, run) => {
    run.work.spend(cost)
    let value = origin === '$' ? run.root : current
    for (const key of keys) value = typeof key === 'string' ? member(value, key) : item(value, key)
    return value
  }
}

function member(value: unknown, name: string): unknown {
  return isMembers(value) && Object.hasOwn(value, name) ? value[name] : undefined
}

function item(value: unknown, index: number | undefined): unknown {
  return isList(value) && index !== undefined ? value.at(index) : undefined
}

function resultOf(compiler: Compiler, { name, args: [arg] }: FunctionCall): Evaluate<unknown> {
  if (name === 'length' && arg) {
    const value = valueBehind(compiler, arg)
    return (current, run) => lengthOf(value(current, run), run.work)
  }
  if (arg?.kind !== 'path') return () => undefined
  const nodes = compiler.collect(arg, 'every')
  return name === 'count'
    ? (current, run) => nodes(current, run).length
    : (current, run) => onlyOf(nodes(current, run))
}

/** A pattern that is written out is made once; one that comes from the value, when it changes. */
function picker(compiler: Compiler, source: Comparable): Evaluate<Pattern | undefined> {
  if (source.kind === 'literal') {
    const pattern = typeof source.value === 'string' ? patternOf(source.value) : undefined
    return () => pattern
  }
  const textOf = valueBehind(compiler, source)
  let last: { readonly text: string; readonly pattern: Pattern | undefined } | undefined
  return (current, run) => {
    const text = textOf(current, run)
    if (typeof text !== 'string') return undefined
    run.work.spend(PATTERN_STEPS)
    if (last?.text !== text) last = { text, pattern: patternOf(text) }
    return last.pattern
  }
}
