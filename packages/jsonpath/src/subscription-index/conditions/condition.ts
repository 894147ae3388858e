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

export const EXISTS: Condition = { kind: 'exists' }

export function at(segment: Segment, inner: Condition): Condition {
  return { kind: 'at', segment, inner }
}

/**
 * All of them, of one value. What is said of the same member, or of the document, is put together:
 * there is only one of each.
 */
export function all(conditions: readonly Condition[]): Condition {
  const flat = conditions.flatMap((one) => (one.kind === 'all' ? one.of : [one]))
  const telling = merged(flat.filter(({ kind }) => kind !== 'exists'))
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

function merged(conditions: readonly Condition[]): Condition[] {
  const groups = new Map<unknown, Condition[]>()
  for (const condition of conditions) {
    const key = placeOf(condition) ?? condition
    const group = groups.get(key)
    if (group) group.push(condition)
    else groups.set(key, [condition])
  }
  return [...groups.values()].map(together)
}

/** The one value that the condition is about; undefined where there may be several. */
function placeOf(condition: Condition): unknown {
  if (condition.kind === 'root') return ROOT
  const isMember = condition.kind === 'at' && typeof condition.segment === 'string'
  return isMember ? condition.segment : undefined
}

function together(group: readonly Condition[]): Condition {
  const [first = EXISTS] = group
  if (group.length === 1) return first
  const inner = all(group.flatMap((one) => ('inner' in one ? [one.inner] : [])))
  if (first.kind === 'root') return { kind: 'root', inner }
  return first.kind === 'at' ? at(first.segment, inner) : first
}

const ROOT = Symbol('$')
