/**
 * Results that depend on the document alone. They are evaluated once in a run and, where many
 * expressions run on one value (subscription-index/), once for all of them.
 *
 * Invariant: an expression pays for a shared result, and for the constants inside it, what it would
 * have paid alone. Whether it stays within its budget does not depend on its neighbours.
 */

import { isSingular } from '../syntax/singular.ts'
import type { Path } from '../syntax/tree.ts'
import type { Evaluate } from './compiler.ts'
import type { Run } from './run.ts'

/** Results on one value by the text of what was evaluated; for expressions of one dialect. */
export type Shared = Map<string, SharedResult>

export interface SharedResult {
  readonly value: unknown
  /** Steps it took, those of the constants it used left out. */
  readonly steps: number
  /** Keys of the constants it used. */
  readonly uses: ReadonlySet<string>
}

/** `run`: the result is worth no more than one evaluation. */
export type Scope = 'run' | 'shared'

/** Walking to one value is as quick as looking it up. */
export function scopeOf(path: Path): Scope {
  return isSingular(path) ? 'run' : 'shared'
}

export class Constants {
  readonly #byKey = new Map<string, Evaluate<unknown>>()

  /** The constant of this key, made by `make` the first time. */
  get<T>(key: string, scope: Scope, slot: () => number, make: () => Evaluate<T>): Evaluate<T> {
    const known = this.#byKey.get(key) as Evaluate<T> | undefined
    if (known) return known
    const made = this.#once(key, scope, make(), slot())
    this.#byKey.set(key, made)
    return made
  }

  #once<T>(key: string, scope: Scope, evaluate: Evaluate<T>, slot: number): Evaluate<T> {
    return (current, run) => {
      run.uses?.add(key)
      const known = run.slots[slot] as T | undefined
      if (known !== undefined) return known
      const { shared } = run
      const value = shared
        ? (this.#accounted(key, scope, evaluate, run, shared) as T)
        : evaluate(current, run)
      run.slots[slot] = value
      return value
    }
  }

  #accounted(
    key: string,
    scope: Scope,
    evaluate: Evaluate<unknown>,
    run: Run,
    shared: Shared,
  ): unknown {
    const { uses, nested } = run
    const before = run.work.spent
    let result = scope === 'shared' ? shared.get(key) : undefined
    if (result) {
      this.#pay(result, run)
    } else {
      result = measured(evaluate, run)
      if (scope === 'shared') shared.set(key, result)
    }
    run.uses = uses
    run.nested = nested + run.work.spent - before
    return result.value
  }

  #pay({ steps, uses }: SharedResult, run: Run): void {
    run.uses = undefined
    run.work.spend(steps)
    for (const key of uses) this.#byKey.get(key)?.(undefined, run)
  }
}

function measured(evaluate: Evaluate<unknown>, run: Run): SharedResult {
  const uses = new Set<string>()
  run.uses = uses
  run.nested = 0
  const before = run.work.spent
  const value = evaluate(undefined, run)
  return { value, steps: run.work.spent - before - run.nested, uses }
}
