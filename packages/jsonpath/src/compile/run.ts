/** What compiled closures hand to one another while one expression runs on one value. */

import type { WorkLimits } from '../limits.ts'
import { Work } from '../work.ts'
import type { Shared } from './constant.ts'

export interface Run {
  readonly root: unknown
  readonly work: Work
  /** What is remembered within this run: results that cannot change, nodes already searched. */
  readonly slots: unknown[]
  /** Where the innermost collection puts what it finds. */
  found: unknown[]
  /** Results of other expressions on the same value, where many run on it. */
  readonly shared: Shared | undefined
  /** Keys of the constants that the innermost constant being evaluated asks for. */
  uses: Set<string> | undefined
  /** Steps that those constants took of it. */
  nested: number
}

/** Goes on from a value that was reached. True: found what was looked for, stop. */
export type Visit = (value: unknown, run: Run) => boolean

/** Whether an expression holds for the current value. */
export type Test = (current: unknown, run: Run) => boolean

/** The values of a path seen from the current value. */
export type Collect = (current: unknown, run: Run) => readonly unknown[]

export function startRun(root: unknown, limits: WorkLimits, shared?: Shared): Run {
  const work = new Work(root, limits)
  return { root, work, slots: [], found: [], shared, uses: undefined, nested: 0 }
}

export const stop: Visit = () => true
export const never: Visit = () => false

/** Adds a value to the innermost collection and goes on looking. */
export const keep: Visit = (value, run) => {
  run.work.spend(1)
  run.found.push(value)
  return false
}
