/** A set that is mostly of one: then it is that one, and takes no memory of its own. */

export type OneOrMany<T extends object> = T | Set<T> | undefined

export function withItem<T extends object>(set: OneOrMany<T>, item: T): OneOrMany<T> {
  if (set === undefined) return item
  if (set instanceof Set) return set.add(item)
  return set === item ? item : new Set([set, item])
}

export function withoutItem<T extends object>(set: OneOrMany<T>, item: T): OneOrMany<T> {
  if (!(set instanceof Set)) return set === item ? undefined : set
  set.delete(item)
  if (set.size > 1) return set
  const [last] = set
  return last
}

export function itemsOf<T extends object>(set: OneOrMany<T>): Iterable<T> {
  if (set instanceof Set) return set
  return set === undefined ? [] : [set]
}
