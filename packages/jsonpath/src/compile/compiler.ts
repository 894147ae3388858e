/** What the parts of the compiler need of one another; compile.ts puts them together. */

import type { Expression, Path } from '../syntax/tree.ts'
import type { Scope } from './constant.ts'
import type { Collect, Run, Test, Visit } from './run.ts'

/**
 * `exists`: it matters which values are reached, not how often; a node that was searched in vain is
 * not searched again. `every`: each value as often as it is reached, in order; only nodes behind
 * which there was nothing at all are left out the second time.
 */
export type Mode = 'exists' | 'every'

export interface PathOptions {
  readonly mode: Mode
  /**
   * What the last visit does depends on more than (root, value), so that nothing may be remembered
   * from one evaluation of this path to the next.
   */
  readonly fresh: boolean
}

export interface Compiler {
  /** A place in Run.slots. */
  slot(): number
  /** Calls `last` for each value that the path selects, until it returns true. */
  path(path: Path, last: Visit, options: PathOptions): Visit
  /** The path's values; those of a `$` path are collected once in a run. */
  collect(path: Path, mode: Mode): Collect
  expression(expression: Expression): Test
  /** A result that is the same everywhere in a run; expressions with the same key share it. */
  constant<T>(key: string, scope: Scope, make: () => Evaluate<T>): Evaluate<T>
}

export type Evaluate<T> = (current: unknown, run: Run) => T
