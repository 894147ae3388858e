import { codePointSlice } from '../values/code-points.ts'
import { textCost } from '../values/equals.ts'
import { asInteger } from '../values/kinds.ts'
import type { PathFunction } from './function.ts'

/** substring(start) or substring(start, end), in code points; past the end it is "", still a match. */
export const substring: PathFunction = {
  name: 'substring',
  arity: [1, 2],
  apply(value, args, work) {
    const [start, end] = args.map(asInteger)
    if (typeof value !== 'string' || start === undefined) return undefined
    if (args.length === 2 && end === undefined) return undefined
    work.spend(textCost(value.length))
    return codePointSlice(value, start, end)
  },
}
