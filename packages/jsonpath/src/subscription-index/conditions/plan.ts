/** From what must hold to what could be looked up instead: any one of these, or all of those. */

import type { Json } from '../../syntax/tree.ts'
import { countNodes } from '../../work.ts'
import { type Atom, atomOf, normalScalar, type Scalar } from './atom.ts'
import { ANY, all, type Condition, DEEP, type Segment } from './condition.ts'
import { normalText } from './normal-text.ts'

export type Plan =
  | Atom
  /** Each of them must hold of every match: looking up one is enough. */
  | { readonly oneOf: readonly Plan[] }
  /** One of them must hold: all have to be looked up. */
  | { readonly each: readonly Plan[] }

/** Undefined where nothing can be looked up: such an expression is a candidate for every value. */
export function planOf(condition: Condition): Plan | undefined {
  return plan(condition, [])
}

/** Segments that a shape has at most; what is further inside is not told apart. */
const LONGEST_SHAPE = 12
/** Members that are looked up together at most. */
const MOST_MEMBERS = 4

function plan(condition: Condition, shape: readonly Segment[]): Plan | undefined {
  switch (condition.kind) {
    case 'exists':
      return existence(shape)
    case 'equals':
      return atomOf(shape, equality(condition.value))
    case 'ordered':
      return atomOf(shape, condition)
    case 'at': {
      const further = extend(shape, condition.segment)
      return further ? plan(condition.inner, further) : existence(shape)
    }
    case 'root':
      return plan(condition.inner, [])
    case 'all':
      return planAll(condition.of, shape)
    case 'any':
      return planAny(condition.of, shape)
  }
}

/** The document is always there, and so is something in it. */
function existence(shape: readonly Segment[]): Atom | undefined {
  const further = shape.filter((segment) => segment !== DEEP)
  const isAlways = further.length === 0 || (further.length === 1 && further[0] === ANY)
  return isAlways ? undefined : atomOf(shape, { kind: 'exists' })
}

function equality(value: Json): Atom['question'] {
  const scalar = normalScalar(value)
  if (scalar !== undefined) return { kind: 'equals', value: scalar }
  const nodes = countNodes(value, Number.POSITIVE_INFINITY)
  return { kind: 'same', text: normalText(value, nodes) ?? '', nodes }
}

/**
 * At most one `..` in a shape, and no `*` behind it: what lies there is inside the value of the `..`
 * as well. So no node of an event is visited twice for the same shape.
 */
function extend(shape: readonly Segment[], segment: Segment): readonly Segment[] | undefined {
  const deep = shape.indexOf(DEEP)
  if (segment !== DEEP && (segment !== ANY || deep === -1)) {
    return shape.length < LONGEST_SHAPE ? [...shape, segment] : undefined
  }
  return deep === -1 ? [...shape, segment] : shape.slice(0, deep + 1)
}

function planAll(conditions: readonly Condition[], shape: readonly Segment[]): Plan | undefined {
  const here = shape.length === 0 ? unrooted(conditions) : conditions
  const plans = here.map((one) => plan(one, shape)).filter((one) => one !== undefined)
  const members = shape.length < LONGEST_SHAPE ? membersOf(here, shape) : undefined
  if (members) plans.unshift(members)
  return plans.length > 1 ? { oneOf: plans } : plans[0]
}

/** What is said of the document, where the value at hand is the document. */
function unrooted(conditions: readonly Condition[]): readonly Condition[] {
  const merged = all(conditions.map((one) => (one.kind === 'root' ? one.inner : one)))
  return merged.kind === 'all' ? merged.of : [merged]
}

function planAny(conditions: readonly Condition[], shape: readonly Segment[]): Plan | undefined {
  const plans: Plan[] = []
  for (const condition of conditions) {
    const one = plan(condition, shape)
    if (one === undefined) return undefined
    plans.push(one)
  }
  return { each: plans }
}

/** `@.key = "a" and @.value = 5`: one question about one value. */
function membersOf(conditions: readonly Condition[], shape: readonly Segment[]): Atom | undefined {
  const known = conditions.map(memberOf).filter((pair) => pair !== undefined)
  if (known.length < 2) return undefined
  const few = known.length > MOST_MEMBERS ? known.sort(byLength).slice(0, MOST_MEMBERS) : known
  const pairs = few.sort(byName)
  const names = pairs.map(([name]) => name)
  const values = pairs.map(([, value]) => value)
  return atomOf(shape, { kind: 'members', names, values })
}

type Pair = readonly [name: string, value: Scalar]

function memberOf(condition: Condition): Pair | undefined {
  if (condition.kind !== 'at' || typeof condition.segment !== 'string') return undefined
  const { segment, inner } = condition
  const parts = inner.kind === 'all' ? inner.of : [inner]
  for (const part of parts) {
    const value = part.kind === 'equals' ? normalScalar(part.value) : undefined
    if (value !== undefined) return [segment, value]
  }
  return undefined
}

/** Where there are too many, long texts say the most. */
function byLength([, one]: Pair, [, other]: Pair): number {
  return String(other).length - String(one).length
}

function byName([one]: Pair, [other]: Pair): number {
  return one < other ? -1 : 1
}
