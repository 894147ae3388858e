import { codePointAt } from '../values/code-points.ts'
import { textCost } from '../values/equals.ts'
import { asInteger } from '../values/kinds.ts'
import type { PathFunction } from './function.ts'

/** charAt(index): one code point of a text, counted from the end when the index is negative. */
export const charAt: PathFunction = {
  name: 'charAt',
  arity: [1, 1],
  apply(value, [index], work) {
    const at = asInteger(index)
    if (typeof value !== 'string' || at === undefined) return undefined
    work.spend(textCost(value.length))
    return codePointAt(value, at)
  },
}
