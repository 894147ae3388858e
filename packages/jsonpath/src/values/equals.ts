/** Python's `==`: deep, 1 = 1.0, true = 1, false = 0 (nested too); a string never equals a number. */

import type { Work } from '../work.ts'
import { asNumber, isContainer, isList, type List, type Members } from './kinds.ts'

export function equals(left: unknown, right: unknown, work: Work): boolean {
  if (left === right) {
    if (typeof left === 'string') work.spend(textCost(left.length))
    return true
  }
  return isContainer(left) && isContainer(right)
    ? equalContainers(left, right, work, 1)
    : equalScalars(left, right, work)
}

/** Comparing or scanning a text costs a step for every 256 characters. */
export function textCost(length: number): number {
  return length >>> 8
}

function equalScalars(left: unknown, right: unknown, work: Work): boolean {
  if (typeof left === 'string') {
    if (typeof right === 'string') work.spend(commonCost(left, right))
    return false // equal texts are identical
  }
  const number = asNumber(left)
  return number !== undefined && number === asNumber(right)
}

/** Texts of different length are told apart without reading them. */
function commonCost(left: string, right: string): number {
  return left.length === right.length ? textCost(left.length) : 0
}

function equalContainers(
  left: List | Members,
  right: List | Members,
  work: Work,
  level: number,
): boolean {
  work.enter(level)
  if (isList(left) !== isList(right)) return false
  return isList(left) && isList(right)
    ? equalLists(left, right, work, level)
    : equalMembers(left as Members, right as Members, work, level)
}

function equalLists(left: List, right: List, work: Work, level: number): boolean {
  if (left.length !== right.length) return false
  return left.every((item, at) => equalItems(item, right[at], work, level))
}

function equalMembers(left: Members, right: Members, work: Work, level: number): boolean {
  const keys = Object.keys(left)
  work.spend(keys.length)
  if (keys.length !== Object.keys(right).length) return false
  return keys.every(
    (key) => Object.hasOwn(right, key) && equalItems(left[key], right[key], work, level),
  )
}

function equalItems(left: unknown, right: unknown, work: Work, level: number): boolean {
  work.spend(1)
  return isContainer(left) && isContainer(right) && left !== right
    ? equalContainers(left, right, work, level + 1)
    : equals(left, right, work)
}
