/** `contains`: text in text, an equal element in an array, a key in an object; otherwise false (D3). */

import type { Work } from '../work.ts'
import { equals, textCost } from './equals.ts'
import { isContainer, isList } from './kinds.ts'

export function contains(whole: unknown, part: unknown, work: Work): boolean {
  if (typeof whole === 'string') return typeof part === 'string' && hasText(whole, part, work)
  if (isList(whole)) return whole.some((item) => isItem(item, part, work))
  return isContainer(whole) && typeof part === 'string' && Object.hasOwn(whole, part)
}

function isItem(item: unknown, part: unknown, work: Work): boolean {
  work.spend(1)
  return equals(item, part, work)
}

/** Texts are sequences of code points: half of a surrogate pair is not in the pair. */
function hasText(whole: string, part: string, work: Work): boolean {
  work.spend(textCost(whole.length))
  let at = whole.indexOf(part)
  while (at !== -1 && (splitsPair(whole, at) || splitsPair(whole, at + part.length))) {
    work.spend(1 + textCost(part.length))
    at = whole.indexOf(part, at + 1)
  }
  return at !== -1
}

/** The place `at` lies between the two halves of a pair. */
function splitsPair(text: string, at: number): boolean {
  return isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at))
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff
}
