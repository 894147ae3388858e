/**
 * The values of one side of a comparison. Long lists are asked through a set, or through their least
 * and greatest number, so that two long lists cost their sum and not their product.
 */

import type { Operator } from '../syntax/tree.ts'
import { compare, ordered } from '../values/compare.ts'
import { contains } from '../values/contains.ts'
import { equals } from '../values/equals.ts'
import { asNumber, isContainer, isList } from '../values/kinds.ts'
import type { Work } from '../work.ts'

/** Lists up to this length are compared value by value. */
const SHORT = 8

interface Question {
  readonly operator: Operator
  /** The list is the left side. */
  readonly flipped: boolean
}

/** A long list by kind of value; booleans are numbers. */
interface Sorted {
  readonly scalars: ReadonlySet<unknown>
  readonly containers: readonly unknown[]
  readonly least: number | undefined
  readonly greatest: number | undefined
}

export class ValueList {
  readonly #values: readonly unknown[]
  #sorted: Sorted | undefined
  #members: Map<unknown, ValueList> | undefined

  constructor(values: readonly unknown[]) {
    this.#values = values
  }

  /** Does the operator hold between this value and some value of the list? */
  holds(value: unknown, { operator, flipped }: Question, work: Work): boolean {
    work.spend(1)
    if (operator === 'contains') return this.#holdsContains(value, flipped, work)
    if (this.#values.length <= SHORT) return this.#holdsPairwise(value, operator, flipped, work)
    switch (operator) {
      case '=':
        return this.#hasEqual(value, work)
      case '!=':
        return this.#hasUnequal(value, work)
      default:
        return this.#hasOrdered(value, flipped ? MIRRORED[operator] : operator, work)
    }
  }

  #holdsPairwise(value: unknown, operator: Operator, flipped: boolean, work: Work): boolean {
    return this.#values.some((other) => {
      work.spend(1)
      return flipped ? compare(other, operator, value, work) : compare(value, operator, other, work)
    })
  }

  #hasEqual(value: unknown, work: Work): boolean {
    const { scalars, containers } = this.#sort(work)
    if (!isContainer(value)) return scalars.has(scalar(value))
    return containers.some((other) => {
      work.spend(1)
      return equals(value, other, work)
    })
  }

  #hasUnequal(value: unknown, work: Work): boolean {
    const { scalars, containers } = this.#sort(work)
    const isScalar = !isContainer(value)
    if ((isScalar ? containers.length : scalars.size) > 0) return true
    if (isScalar) return scalars.size > 1 || !scalars.has(scalar(value))
    return containers.some((other) => {
      work.spend(1)
      return !equals(value, other, work)
    })
  }

  #hasOrdered(value: unknown, operator: '<' | '<=' | '>' | '>=', work: Work): boolean {
    const { least, greatest } = this.#sort(work)
    const best = operator === '<' || operator === '<=' ? greatest : least
    return ordered(asNumber(value), operator, best)
  }

  #holdsContains(value: unknown, flipped: boolean, work: Work): boolean {
    return this.#values.some((other) => {
      work.spend(1)
      const [whole, part] = flipped ? [other, value] : [value, other]
      if (!isList(whole) || whole.length <= SHORT) return contains(whole, part, work)
      return this.#membersOf(whole).#hasEqual(part, work)
    })
  }

  /** An array that is searched again and again is sorted once. */
  #membersOf(whole: readonly unknown[]): ValueList {
    this.#members ??= new Map()
    const known = this.#members.get(whole)
    if (known) return known
    const list = new ValueList(whole)
    this.#members.set(whole, list)
    return list
  }

  #sort(work: Work): Sorted {
    if (this.#sorted) return this.#sorted
    work.spend(this.#values.length)
    const numbers = this.#values.map(asNumber).filter((number) => number !== undefined)
    this.#sorted = {
      scalars: new Set(this.#values.filter((value) => !isContainer(value)).map(scalar)),
      containers: this.#values.filter(isContainer),
      least: extreme(numbers, (one, other) => one < other),
      greatest: extreme(numbers, (one, other) => one > other),
    }
    return this.#sorted
  }
}

const MIRRORED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const

/** Equal scalars are one and the same member of a set. */
function scalar(value: unknown): unknown {
  return asNumber(value) ?? value
}

function extreme(
  numbers: readonly number[],
  better: (one: number, other: number) => boolean,
): number | undefined {
  return numbers.reduce<number | undefined>(
    (best, number) => (best === undefined || better(number, best) ? number : best),
    undefined,
  )
}
