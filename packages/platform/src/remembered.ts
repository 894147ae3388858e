/**
 * `find`, which gives the same for a text whenever it is asked, with what it has given remembered: for at most so many
 * texts, then all are forgotten.
 */
export function remembered<T extends NonNullable<unknown>>(
  most: number,
  find: (text: string) => T,
): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const before = known.get(text)
    if (before !== undefined) return before
    const found = find(text)
    if (known.size === most) known.clear()
    known.set(text, found)
    return found
  }
}
