/** What came of one match, put in the order of the subscriptions. */

import { JsonPathLimitError } from '../errors.ts'
import type { MatchOptions } from './subscriptions.ts'

export interface Placed {
  readonly id: string
  /** Its place in the order in which ids were first set. */
  readonly place: number
}

/** Did it match? */
export type Outcome = boolean | JsonPathLimitError

/** The error of the budget; any other is a mistake of ours and is thrown again. */
export function limitError(error: unknown): JsonPathLimitError {
  if (error instanceof JsonPathLimitError) return error
  throw error
}

export class Verdicts {
  readonly #matched: Placed[] = []
  readonly #failed: { readonly placed: Placed; readonly error: JsonPathLimitError }[] = []

  add(placed: Placed, outcome: Outcome): void {
    if (outcome === true) this.#matched.push(placed)
    else if (outcome !== false) this.#failed.push({ placed, error: outcome })
  }

  /** The ids that matched; what failed is told to `onError`, or thrown where there is none. */
  report({ onError }: MatchOptions): string[] {
    this.#failed.sort((one, other) => one.placed.place - other.placed.place)
    for (const { placed, error } of this.#failed) {
      if (!onError) throw error
      onError(placed.id, error)
    }
    this.#matched.sort((one, other) => one.place - other.place)
    return this.#matched.map(({ id }) => id)
  }
}
