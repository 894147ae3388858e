/** The kinds of JSON value, and what is inside them. Only own members count, whatever their name. */

export type List = readonly unknown[]
export type Members = { readonly [key: string]: unknown }

export function isList(value: unknown): value is List {
  return Array.isArray(value)
}

/** An array or an object. */
export function isContainer(value: unknown): value is List | Members {
  return typeof value === 'object' && value !== null
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The elements, or the members' values in order; nothing is inside a scalar. */
export function childrenOf(value: unknown): List {
  if (!isContainer(value)) return NOTHING
  return isList(value) ? value : Object.values(value)
}

export function hasMember(value: unknown, name: string): value is Members {
  return isMembers(value) && Object.hasOwn(value, name)
}

/** Numbers, and booleans as 1 and 0, as Python has them; undefined for everything else. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  return typeof value === 'boolean' ? Number(value) : undefined
}

/** As asNumber, but whole numbers only: what can be an index. `1.0` in an event is 1 here (U1). */
export function asInteger(value: unknown): number | undefined {
  const number = asNumber(value)
  return Number.isInteger(number) ? number : undefined
}

const NOTHING: List = []
