/**
 * The plain evaluator: each step maps a list of values to a list of values, as the dialect is
 * defined. compile/ is the fast one; a property test holds the two together.
 */

import { argumentOf, functionOf } from './functions/table.ts'
import { WORK_LIMITS, type WorkLimits } from './limits.ts'
import { lengthOf, onlyOf } from './rfc9535/functions.ts'
import { PATTERN_STEPS, patternOf } from './rfc9535/pattern.ts'
import type {
  Call,
  Comparable,
  Expression,
  FunctionCall,
  Operand,
  Path,
  Step,
  Sub,
} from './syntax/tree.ts'
import { compare } from './values/compare.ts'
import { asInteger, childrenOf, hasMember, isList } from './values/kinds.ts'
import { relate } from './values/relate.ts'
import { type Range, sliceRange, spanRange } from './values/slice.ts'
import { isTrue } from './values/truth.ts'
import { Work } from './work.ts'

/**
 * Everything the path selects from the document, in order, duplicates kept.
 * Throws a JsonPathLimitError when that is too much work.
 * @param path what `parse` made of an expression
 * @param root a JSON value, as `JSON.parse` returns it
 * @param limits bounds on the work
 */
export function evaluate(path: Path, root: unknown, limits: WorkLimits = WORK_LIMITS): unknown[] {
  return select(path, root, { root, work: new Work(root, limits) })
}

interface Document {
  readonly root: unknown
  readonly work: Work
}

function select(path: Path, current: unknown, document: Document): unknown[] {
  let values = [path.origin === '$' ? document.root : current]
  for (const step of path.steps) {
    values = collect(values, (value) => applyStep(step, value, document), document)
  }
  return values
}

/** All results, one after the other; each costs a step. */
function collect<T>(
  items: readonly T[],
  results: (item: T) => Iterable<unknown>,
  { work }: Document,
): unknown[] {
  const all: unknown[] = []
  for (const item of items) {
    work.spend(1)
    for (const result of results(item)) {
      work.spend(1)
      all.push(result)
    }
  }
  return all
}

function applyStep(step: Step, value: unknown, document: Document): unknown[] {
  const nodes = step.descends ? descendants(value, document) : [value]
  return collect(
    nodes,
    (node) => collect(step.subs, (sub) => applySub(sub, node, document), document),
    document,
  )
}

/** The value and all that is inside it, parents before their children. */
function descendants(value: unknown, document: Document, level = 1): unknown[] {
  const children = childrenOf(value)
  if (children.length === 0) return [value]
  document.work.enter(level)
  return [value, ...collect(children, (child) => descendants(child, document, level + 1), document)]
}

function applySub(sub: Sub, value: unknown, document: Document): readonly unknown[] {
  switch (sub.kind) {
    case 'name':
      return member(value, sub.name)
    case 'index':
      return element(value, sub.index)
    case 'slice':
      return range(value, (length) => sliceRange(sub, length))
    case 'span':
      return range(value, (length) => spanRange(sub, length))
    case 'wildcard':
      return childrenOf(value)
    case 'filter':
      return holds(sub.expression, value, document) ? [value] : []
    case 'where':
      return where(sub.expression, value, document)
    case 'subpath':
      return collect(select(sub.path, value, document), (key) => lookup(value, key), document)
    case 'call':
      return call(sub, value, document)
  }
}

function member(value: unknown, name: string): unknown[] {
  return hasMember(value, name) ? [value[name]] : []
}

function element(value: unknown, index: number): unknown[] {
  if (!isList(value)) return []
  const at = index < 0 ? index + value.length : index
  return at >= 0 && at < value.length ? [value[at]] : []
}

function range(value: unknown, rangeOf: (length: number) => Range): unknown[] {
  if (!isList(value)) return []
  const { first, step, count } = rangeOf(value.length)
  return Array.from({ length: count }, (_, nth) => value[first + nth * step])
}

function where(expression: Expression, value: unknown, document: Document): unknown[] {
  return collect(
    childrenOf(value),
    (child) => (holds(expression, child, document) ? [child] : []),
    document,
  )
}

/** What a subpath selected, used as key or index. */
function lookup(value: unknown, key: unknown): unknown[] {
  if (typeof key === 'string') return member(value, key)
  const index = asInteger(key)
  return index === undefined ? [] : element(value, index)
}

function call(call: Call, value: unknown, document: Document): unknown[] {
  const applied = functionOf(call)
  if (!applied) return []
  const choices = call.args.map((arg) =>
    arg.kind === 'literal' ? [argumentOf(arg)] : select(arg, value, document),
  )
  const results = collect(
    product(choices, document),
    (args) => [applied.apply(value, args, document.work)],
    document,
  )
  return results.filter((result) => result !== undefined)
}

/** Every way to take one of each, the last varying fastest. */
function product(choices: readonly (readonly unknown[])[], { work }: Document): unknown[][] {
  let rows: unknown[][] = [[]]
  for (const choice of choices) {
    work.spend(rows.length * choice.length)
    rows = rows.flatMap((row) => choice.map((value) => [...row, value]))
  }
  return rows
}

function holds(expression: Expression, current: unknown, document: Document): boolean {
  switch (expression.kind) {
    case 'and':
      return expression.terms.every((term) => holds(term, current, document))
    case 'or':
      return expression.terms.some((term) => holds(term, current, document))
    case 'not':
      return !holds(expression.term, current, document)
    case 'bare':
      return expression.operand.kind === 'literal'
        ? isTrue(expression.operand.value)
        : select(expression.operand, current, document).length > 0
    case 'comparison': {
      const { left, operator, right } = expression
      const rights = operandValues(right, current, document)
      return operandValues(left, current, document).some((one) =>
        rights.some((other) => pairHolds(one, operator, other, document)),
      )
    }
    case 'relation': {
      const [left, right] = [expression.left, expression.right].map((comparable) =>
        valueBehind(comparable, current, document),
      )
      document.work.spend(1)
      return relate(left, expression.operator, right, document.work)
    }
    case 'test':
      return testPattern(expression.call, current, document)
  }
}

function pairHolds(
  left: unknown,
  operator: Parameters<typeof compare>[1],
  right: unknown,
  { work }: Document,
): boolean {
  work.spend(1)
  return compare(left, operator, right, work)
}

function operandValues(operand: Operand, current: unknown, document: Document): unknown[] {
  return operand.kind === 'literal' ? [operand.value] : select(operand, current, document)
}

/** One value, or undefined for none. */
function valueBehind(comparable: Comparable, current: unknown, document: Document): unknown {
  switch (comparable.kind) {
    case 'literal':
      return comparable.value
    case 'path':
      return onlyOf(select(comparable, current, document))
    case 'function':
      return resultOf(comparable, current, document)
  }
}

function resultOf(
  { name, args: [arg] }: FunctionCall,
  current: unknown,
  document: Document,
): unknown {
  if (arg === undefined) return undefined
  if (name === 'length') return lengthOf(valueBehind(arg, current, document), document.work)
  const nodes = arg.kind === 'path' ? select(arg, current, document) : []
  return name === 'count' ? nodes.length : onlyOf(nodes)
}

function testPattern({ name, args }: FunctionCall, current: unknown, document: Document): boolean {
  const [text, source] = args.map((arg) => valueBehind(arg, current, document))
  if (typeof text !== 'string' || typeof source !== 'string') return false
  const { work } = document
  if (args[1]?.kind !== 'literal') work.spend(PATTERN_STEPS)
  const pattern = patternOf(source)
  if (pattern === undefined) return false
  return name === 'match' ? pattern.matches(text, work) : pattern.finds(text, work)
}
