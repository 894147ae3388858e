/**
 * The values that a path selected, sorted by kind when that is first asked for. It never changes, so
 * that many expressions can share it; the steps of sorting are paid when it is made.
 */

import { asNumber, isContainer } from '../values/kinds.ts'
import type { Work } from '../work.ts'

export class Values {
  readonly all: readonly unknown[]
  #kinds: Kinds | undefined
  #extremes: Extremes | undefined

  constructor(all: readonly unknown[], work: Work) {
    work.spend(all.length)
    this.all = all
  }

  get kinds(): Kinds {
    this.#kinds ??= kindsOf(this.all)
    return this.#kinds
  }

  get extremes(): Extremes {
    this.#extremes ??= extremesOf(this.all)
    return this.#extremes
  }
}

/** Booleans are numbers. */
interface Kinds {
  readonly scalars: ReadonlySet<unknown>
  readonly containers: readonly unknown[]
}

/** Of the numbers among the values. */
interface Extremes {
  readonly least: number | undefined
  readonly greatest: number | undefined
}

function kindsOf(all: readonly unknown[]): Kinds {
  return {
    scalars: new Set(all.filter((value) => !isContainer(value)).map(scalar)),
    containers: all.filter(isContainer),
  }
}

/** Equal scalars are one and the same member of a set. */
export function scalar(value: unknown): unknown {
  return asNumber(value) ?? value
}

function extremesOf(all: readonly unknown[]): Extremes {
  let least: number | undefined
  let greatest: number | undefined
  for (const value of all) {
    const number = asNumber(value)
    if (number === undefined) continue
    if (least === undefined || number < least) least = number
    if (greatest === undefined || number > greatest) greatest = number
  }
  return { least, greatest }
}
