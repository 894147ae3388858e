/** Texts as Python has them: sequences of code points, a lone surrogate being one. */

export function codePointLength(text: string): number {
  let pairs = 0
  for (let at = 0; at < text.length; at += 1) {
    if (isPair(text, at)) {
      pairs += 1
      at += 1
    }
  }
  return text.length - pairs
}

/** `text[index]`; undefined when out of range. */
export function codePointAt(text: string, index: number): string | undefined {
  const length = codePointLength(text)
  const at = index < 0 ? index + length : index
  if (at < 0 || at >= length) return undefined
  return codePointSlice(text, at, at + 1)
}

/** `text[start:end]`, negative places counted from the end and all of them clamped. */
export function codePointSlice(text: string, start: number, end?: number): string {
  const length = codePointLength(text)
  const from = clamp(start, length)
  const to = end === undefined ? length : clamp(end, length)
  if (from >= to) return ''
  if (length === text.length) return text.slice(from, to)
  const first = unitOffset(text, 0, from)
  return text.slice(first, unitOffset(text, first, to - from))
}

function clamp(place: number, length: number): number {
  return Math.min(Math.max(place < 0 ? place + length : place, 0), length)
}

/** The UTF-16 index `count` code points after the UTF-16 index `from`. */
function unitOffset(text: string, from: number, count: number): number {
  let at = from
  for (let left = count; left > 0; left -= 1) at += isPair(text, at) ? 2 : 1
  return at
}

function isPair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff
}
