/** The functions of RFC 9535 (2.4): what they take, what they give, what they say of values. */

import type { FunctionCall } from '../syntax/tree.ts'
import { codePointLength } from '../values/code-points.ts'
import { textCost } from '../values/equals.ts'
import { isContainer, isList } from '../values/kinds.ts'
import type { Work } from '../work.ts'

export type FunctionName = FunctionCall['name']

interface Signature {
  /** `value`: a literal, a path to one value, another function's value. `nodes`: any path. */
  readonly takes: readonly ('value' | 'nodes')[]
  /** `value`: to be compared. `logical`: a condition by itself. */
  readonly gives: 'value' | 'logical'
}

export const FUNCTIONS: Readonly<Record<FunctionName, Signature>> = {
  length: { takes: ['value'], gives: 'value' },
  count: { takes: ['nodes'], gives: 'value' },
  value: { takes: ['nodes'], gives: 'value' },
  match: { takes: ['value', 'value'], gives: 'logical' },
  search: { takes: ['value', 'value'], gives: 'logical' },
}

export function isFunction(name: string): name is FunctionName {
  return Object.hasOwn(FUNCTIONS, name)
}

/** Code points of a text, elements, members; missing for all else. */
export function lengthOf(value: unknown, work: Work): number | undefined {
  if (isList(value)) return value.length
  if (isContainer(value)) {
    const { length } = Object.keys(value)
    work.spend(length)
    return length
  }
  if (typeof value !== 'string') return undefined
  work.spend(textCost(value.length))
  return codePointLength(value)
}

/** The one value that was selected; missing if there are none or several. */
export function onlyOf(values: readonly unknown[]): unknown {
  return values.length === 1 ? values[0] : undefined
}
