/**
 * Slices as jsonpath2 has them. The defaults do not turn round for a negative step, so `[::-1]`
 * selects nothing; places outside the array are stepped over (they do not wrap to its end: D4).
 */

import type { Slice, Span } from '../syntax/tree.ts'

/** Indices `first`, `first + step`, … `count` of them, all inside an array of this length. */
export interface Range {
  readonly first: number
  readonly step: number
  readonly count: number
}

export function sliceRange(slice: Slice, length: number): Range {
  const step = slice.step ?? 1
  const start = slice.start ?? 0
  const end = slice.end ?? length
  const from = start < 0 ? Math.max(start + length, 0) : start
  const to = end < 0 ? end + length : end
  return step > 0 ? upwards(from, Math.min(to, length), step) : downwards(from, to, step, length)
}

/** As RFC 9535 has them (2.3.4.2.2): the defaults turn round for a negative step, the ends are clamped. */
export function spanRange({ start, end, step = 1 }: Span, length: number): Range {
  const [from, to] = [start, end].map((place) => {
    return place !== undefined && place < 0 ? Math.max(place + length, -1) : place
  })
  if (step > 0) return upwards(Math.max(from ?? 0, 0), Math.min(to ?? length, length), step)
  if (step === 0) return { first: 0, step, count: 0 }
  const first = Math.min(from ?? length - 1, length - 1)
  return { first, step, count: Math.max(Math.ceil((first - (to ?? -1)) / -step), 0) }
}

function upwards(first: number, stop: number, step: number): Range {
  return { first, step, count: Math.max(Math.ceil((stop - first) / step), 0) }
}

/** A start beyond the end of the array is stepped down into it first. */
function downwards(from: number, to: number, step: number, length: number): Range {
  const outside = Math.max(Math.ceil((from - (length - 1)) / -step), 0)
  const first = from + outside * step
  const stop = Math.max(to, -1)
  return { first, step, count: Math.max(Math.ceil((first - stop) / -step), 0) }
}
