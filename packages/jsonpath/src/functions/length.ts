import { codePointLength } from '../values/code-points.ts'
import { textCost } from '../values/equals.ts'
import { isList } from '../values/kinds.ts'
import type { PathFunction } from './function.ts'

/** Elements of an array, code points of a text; nothing for anything else, objects included. */
export const length: PathFunction = {
  name: 'length',
  arity: [0, 0],
  apply(value, _args, work) {
    if (isList(value)) return value.length
    if (typeof value !== 'string') return undefined
    work.spend(textCost(value.length))
    return codePointLength(value)
  },
}
