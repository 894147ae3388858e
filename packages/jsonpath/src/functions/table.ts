/** The functions there are. Names are case-sensitive. */

import type { Call, Literal } from '../syntax/tree.ts'
import { charAt } from './char-at.ts'
import { entries } from './entries.ts'
import type { PathFunction } from './function.ts'
import { keys } from './keys.ts'
import { length } from './length.ts'
import { substring } from './substring.ts'
import { values } from './values.ts'

const FUNCTIONS: readonly PathFunction[] = [length, keys, values, entries, charAt, substring]

export const FUNCTION_NAMES: readonly string[] = FUNCTIONS.map(({ name }) => name)

/** The function a call means, or undefined when its number of arguments is wrong: it selects nothing. */
export function functionOf(call: Call): PathFunction | undefined {
  const found = FUNCTIONS.find(({ name }) => name === call.name)
  if (!found) return undefined
  const [least, most] = found.arity
  return call.args.length >= least && call.args.length <= most ? found : undefined
}

/** A literal as an argument: a number written as `1.0` is no integer, and no function takes another. */
export function argumentOf(literal: Literal): unknown {
  return literal.float ? undefined : literal.value
}
