/** What a warning says, and where in events an expression is. */

import type { Step, Sub } from '../syntax/tree.ts'

/** Something legal in an expression that is probably not meant. */
export interface Warning {
  /** Which mistake it looks like. It stays as it is when the message is worded anew. */
  readonly code:
    | 'MIXED_AND_OR'
    | ('UNEQUAL_TO_SOME' | 'FILTER_ON_ARRAY')
    | ('FILTER_ON_CHILDREN' | 'UNEQUAL_OR_MISSING' | 'PATTERN_INVALID')
  /** What it means as it stands, and what to write instead. */
  readonly message: string
  /** UTF-16 index into the subscriber's own text. */
  readonly offset: number
}

/** A place in events, such as `$.data.[*]`; undefined where it cannot be told. */
export type Place = string | undefined

export function placeAfter(step: Step, place: Place): Place {
  const [sub] = step.subs
  if (!sub || place === undefined || step.descends || step.subs.length > 1) return undefined
  if (sub.kind === 'name') return `${place}.${sub.name}`
  if (sub.kind === 'filter') return place
  return isElements(sub) ? `${place}.[*]` : undefined
}

/** The step goes from a list to its items, or from an object to its members. */
export function isElements({ kind }: Sub): boolean {
  return (
    kind === 'index' ||
    kind === 'slice' ||
    kind === 'wildcard' ||
    kind === 'span' ||
    kind === 'where'
  )
}
