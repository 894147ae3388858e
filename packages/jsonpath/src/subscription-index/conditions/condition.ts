/**
 * What must hold of a value for an expression to match it. Conditions are weaker than the expression:
 * whatever the expression matches fulfils its condition, and much else does too.
 */

import type { Json } from '../../syntax/tree.ts'

/**
 * One step of a shape: a member of that name; `ANY`, some child; `DEEP`, the value or anything inside
 * it. Indices, slices, unions and `[@.key]` are `ANY`.
 */
export type Segment = string | typeof ANY | typeof DEEP

export const ANY = Symbol('*')
export const DEEP = Symbol('..')

export type Condition =
  /** The value is there. */
  | { readonly kind: 'exists' }
  /** It equals the literal as the dialect's `=` has it. */
  | { readonly kind: 'equals'; readonly value: Json }
  /** A number or boolean above (or below) the limit, or equal to it. */
  | Ordered
  /** The condition holds of some value one segment further. */
  | At
  /** The condition holds of the document. */
  | { readonly kind: 'root'; readonly inner: Condition }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }

export interface Ordered {
  readonly kind: 'ordered'
  readonly side: Side
  readonly limit: number
}

/** Which side of the limit. */
export type Side = 'above' | 'below'

export interface At {
  readonly kind: 'at'
  readonly segment: Segment
  readonly inner: Condition
}

/** Conditions on one value that are kept; to leave out the others is only weaker. */
const MOST = 64

export const EXISTS: Condition = { kind: 'exists' }

export function at(segment: Segment, inner: Condition): Condition {
  return { kind: 'at', segment, inner }
}

/**
 * All of them, of one value. What is said of the same member, or of the document, is put together:
 * there is only one of each.
 */
export function all(conditions: readonly Condition[]): Condition {
  const telling: Condition[] = []
  for (const one of conditions) {
    if (one.kind === 'all') for (const inner of one.of) merge(telling, inner)
    else if (one.kind !== 'exists') merge(telling, one)
  }
  const [first = EXISTS] = telling
  return telling.length > 1 ? { kind: 'all', of: telling } : first
}

/** Some of them. Where one says nothing, together they say nothing. */
export function any(conditions: readonly Condition[]): Condition {
  const [first = EXISTS] = conditions
  if (conditions.length === 1 || conditions.some(({ kind }) => kind === 'exists')) {
    return conditions.length === 1 ? first : EXISTS
  }
  return { kind: 'any', of: conditions }
}

/** Adds a condition, or puts it together with the one about the same member. */
function merge(conditions: Condition[], condition: Condition): void {
  const at = isOfOne(condition) ? conditions.findIndex((one) => isSamePlace(one, condition)) : -1
  const known = conditions[at]
  if (known) conditions[at] = together(known, condition)
  else if (conditions.length < MOST) conditions.push(condition)
}

/** The condition is about one value, not about some of several. */
function isOfOne(condition: Condition): boolean {
  return condition.kind === 'root' || (condition.kind === 'at' && isName(condition.segment))
}

function isName(segment: Segment): segment is string {
  return typeof segment === 'string'
}

function isSamePlace(one: Condition, other: Condition): boolean {
  if (one.kind === 'at') return other.kind === 'at' && one.segment === other.segment
  return one.kind === 'root' && other.kind === 'root'
}

function together(one: Condition, other: Condition): Condition {
  if (one.kind === 'root' && other.kind === 'root') {
    return { kind: 'root', inner: all([one.inner, other.inner]) }
  }
  if (one.kind !== 'at' || other.kind !== 'at') return one
  return at(one.segment, all([one.inner, other.inner]))
}
