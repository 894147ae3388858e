/**
 * Slices as jsonpath2 has them. The defaults do not turn round for a negative step, so `[::-1]`
 * selects nothing; places outside the array are stepped over (they do not wrap to its end: D4).
 */

import type { Slice } from '../syntax/tree.ts'

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
