/**
 * Equality, deep. jsonpath2's is Python's `==`: 1 = 1.0, true = 1, false = 0 (nested too); rfc9535's
 * holds between values of one kind only. In both a string never equals a number.
 */

import type { Work } from '../work.ts'
import { asNumber, isContainer, isList, type List, type Members } from './kinds.ts'

export function equals(left: unknown, right: unknown, work: Work): boolean {
  return equalBy(alike, left, right, work)
}

/** Equality of rfc9535. */
export function same(left: unknown, right: unknown, work: Work): boolean {
  return equalBy(unlike, left, right, work)
}

/** Whether two scalars that are not identical, and not both texts, are equal. */
type Scalars = (left: unknown, right: unknown) => boolean

const unlike: Scalars = () => false

const alike: Scalars = (left, right) => {
  const number = asNumber(left)
  return number !== undefined && number === asNumber(right)
}

function equalBy(scalars: Scalars, left: unknown, right: unknown, work: Work): boolean {
  if (left === right) {
    if (typeof left === 'string') work.spend(textCost(left.length))
    return true
  }
  return isContainer(left) && isContainer(right)
    ? equalContainers(scalars, left, right, work, 1)
    : equalScalars(scalars, left, right, work)
}

/** Comparing or scanning a text costs a step for every 256 characters. */
export function textCost(length: number): number {
  return length >>> 8
}

function equalScalars(scalars: Scalars, left: unknown, right: unknown, work: Work): boolean {
  if (typeof left === 'string') {
    if (typeof right === 'string') work.spend(commonCost(left, right))
    return false // equal texts are identical
  }
  return scalars(left, right)
}

/** Texts of different length are told apart without reading them. */
function commonCost(left: string, right: string): number {
  return left.length === right.length ? textCost(left.length) : 0
}

function equalContainers(
  scalars: Scalars,
  left: List | Members,
  right: List | Members,
  work: Work,
  level: number,
): boolean {
  work.enter(level)
  if (isList(left) !== isList(right)) return false
  return isList(left) && isList(right)
    ? equalLists(scalars, left, right, work, level)
    : equalMembers(scalars, left as Members, right as Members, work, level)
}

function equalLists(scalars: Scalars, left: List, right: List, work: Work, level: number): boolean {
  if (left.length !== right.length) return false
  return left.every((item, at) => equalItems(scalars, item, right[at], work, level))
}

function equalMembers(
  scalars: Scalars,
  left: Members,
  right: Members,
  work: Work,
  level: number,
): boolean {
  const keys = Object.keys(left)
  work.spend(keys.length)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every(
    (key) => Object.hasOwn(right, key) && equalItems(scalars, left[key], right[key], work, level),
  )
}

function equalItems(
  scalars: Scalars,
  left: unknown,
  right: unknown,
  work: Work,
  level: number,
): boolean {
  work.spend(1)
  return isContainer(left) && isContainer(right) && left !== right
    ? equalContainers(scalars, left, right, work, level + 1)
    : equalBy(scalars, left, right, work)
}
