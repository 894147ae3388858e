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
import { scalar, Values } from './values.ts'

/** Lists up to this length are compared value by value. */
const SHORT = 8

interface Question {
  readonly operator: Operator
  /** The list is the left side. */
  readonly flipped: boolean
}

export class ValueList {
  readonly #values: Values
  #members: Map<unknown, ValueList> | undefined

  constructor(values: Values) {
    this.#values = values
  }

  /** Does the operator hold between this value and some value of the list? */
  holds(value: unknown, { operator, flipped }: Question, work: Work): boolean {
    work.spend(1)
    if (operator === 'contains') return this.#holdsContains(value, flipped, work)
    if (this.#values.all.length <= SHORT) return this.#holdsPairwise(value, operator, flipped, work)
    switch (operator) {
      case '=':
        return this.#hasEqual(value, work)
      case '!=':
        return this.#hasUnequal(value, work)
      default:
        return this.#hasOrdered(value, flipped ? MIRRORED[operator] : operator)
    }
  }

  #holdsPairwise(value: unknown, operator: Operator, flipped: boolean, work: Work): boolean {
    return this.#values.all.some((other) => {
      work.spend(1)
      return flipped ? compare(other, operator, value, work) : compare(value, operator, other, work)
    })
  }

  #hasEqual(value: unknown, work: Work): boolean {
    const { scalars, containers } = this.#values.kinds
    if (!isContainer(value)) return scalars.has(scalar(value))
    return containers.some((other) => {
      work.spend(1)
      return equals(value, other, work)
    })
  }

  #hasUnequal(value: unknown, work: Work): boolean {
    const { scalars, containers } = this.#values.kinds
    const isScalar = !isContainer(value)
    if ((isScalar ? containers.length : scalars.size) > 0) return true
    if (isScalar) return scalars.size > 1 || !scalars.has(scalar(value))
    return containers.some((other) => {
      work.spend(1)
      return !equals(value, other, work)
    })
  }

  #hasOrdered(value: unknown, operator: '<' | '<=' | '>' | '>='): boolean {
    const { least, greatest } = this.#values.extremes
    const best = operator === '<' || operator === '<=' ? greatest : least
    return ordered(asNumber(value), operator, best)
  }

  #holdsContains(value: unknown, flipped: boolean, work: Work): boolean {
    return this.#values.all.some((other) => {
      work.spend(1)
      const [whole, part] = flipped ? [other, value] : [value, other]
      if (!isList(whole) || whole.length <= SHORT) return contains(whole, part, work)
      return this.#membersOf(whole, work).#hasEqual(part, work)
    })
  }

  /** An array that is searched again and again is sorted once. */
  #membersOf(whole: readonly unknown[], work: Work): ValueList {
    this.#members ??= new Map()
    const known = this.#members.get(whole)
    if (known) return known
    const list = new ValueList(new Values(whole, work))
    this.#members.set(whole, list)
    return list
  }
}

const MIRRORED = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' } as const
