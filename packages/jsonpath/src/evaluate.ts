/**
 * The plain evaluator: each step maps a list of values to a list of values, as the dialect is
 * defined. compile/ is the fast one; a property test holds the two together.
 */

import { argumentOf, functionOf } from './functions/table.ts'
import { WORK_LIMITS, type WorkLimits } from './limits.ts'
import type { Call, Expression, Operand, Path, Slice, Step, Sub } from './syntax/tree.ts'
import { compare } from './values/compare.ts'
import { asInteger, childrenOf, hasMember, isList } from './values/kinds.ts'
import { sliceRange } from './values/slice.ts'
import { isTrue } from './values/truth.ts'
import { Work } from './work.ts'

/**
 * Everything the path selects from the document, in order, duplicates kept.
 * Throws a JsonPathLimitError when that is too much work.
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
      return slice(value, sub)
    case 'wildcard':
      return childrenOf(value)
    case 'filter':
      return holds(sub.expression, value, document) ? [value] : []
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

function slice(value: unknown, slice: Slice): unknown[] {
  if (!isList(value)) return []
  const { first, step, count } = sliceRange(slice, value.length)
  return Array.from({ length: count }, (_, nth) => value[first + nth * step])
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
