/** How long a call takes that is too short for a clock, and how much heap is in use. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { medianOf } from '../figures.ts'

export interface Effort {
  /** Each long enough to be measured; their median counts. */
  readonly runs: number
  readonly runMs: number
  /** Before anything is measured. */
  readonly warmUpMs: number
  /** Matches after which what was found in vain waits elsewhere. */
  readonly settling: number
  /** What weighs less than so many subscriptions is weighed several times over. */
  readonly weighable: number
}

export const FULL: Effort = { runs: 9, runMs: 10, warmUpMs: 200, settling: 1_500, weighable: 1_000 }
export const QUICK: Effort = { runs: 3, runMs: 1, warmUpMs: 5, settling: 20, weighable: 20 }

/** Microseconds of one call. */
export function microseconds(call: () => unknown, { runs, runMs, warmUpMs }: Effort): number {
  const warm = performance.now()
  let calls = 0
  do {
    call()
    calls += 1
  } while (performance.now() - warm < warmUpMs)
  const each = Math.max(1, Math.ceil((calls * runMs) / (performance.now() - warm)))
  return medianOf(
    Array.from({ length: runs }, () => {
      const from = performance.now()
      for (let left = each; left > 0; left -= 1) call()
      return ((performance.now() - from) * 1000) / each
    }),
  )
}

/** What the call gives, and how many seconds it took. */
export function timed<T>(call: () => T): { readonly value: T; readonly seconds: number } {
  const from = performance.now()
  const value = call()
  return { value, seconds: (performance.now() - from) / 1000 }
}

let collectGarbage: (() => void) | undefined

/** Bytes in use, after a garbage collection. */
export function heapBytes(): number {
  if (collectGarbage === undefined) {
    setFlagsFromString('--expose_gc')
    collectGarbage = runInNewContext('gc') as () => void
  }
  collectGarbage()
  collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
