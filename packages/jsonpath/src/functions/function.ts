import type { Work } from '../work.ts'

/** A function of the dialect, applied to the value at hand. */
export interface PathFunction {
  readonly name: string
  /** With fewer or more arguments it selects nothing. */
  readonly arity: readonly [least: number, most: number]
  /** The one value it selects, or undefined for none. */
  readonly apply: (value: unknown, args: readonly unknown[], work: Work) => unknown
}
