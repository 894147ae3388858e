import { isContainer, isList } from '../values/kinds.ts'
import type { PathFunction } from './function.ts'

/** One list of pairs: [key, value] of an object, [index, value] of an array. */
export const entries: PathFunction = {
  name: 'entries',
  arity: [0, 0],
  apply(value, _args, work) {
    if (!isContainer(value)) return undefined
    const list = isList(value) ? value.map((item, at) => [at, item]) : Object.entries(value)
    work.spend(list.length)
    return list
  },
}
