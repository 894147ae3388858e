import { isContainer, isList } from '../values/kinds.ts'
import type { PathFunction } from './function.ts'

/** One list: an object's values; an array is its own. */
export const values: PathFunction = {
  name: 'values',
  arity: [0, 0],
  apply(value, _args, work) {
    if (!isContainer(value)) return undefined
    if (isList(value)) return value
    const list = Object.values(value)
    work.spend(list.length)
    return list
  },
}
