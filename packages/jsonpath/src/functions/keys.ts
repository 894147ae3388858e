import { isContainer, isList } from '../values/kinds.ts'
import type { PathFunction } from './function.ts'

/** One list: an object's keys, an array's indices. */
export const keys: PathFunction = {
  name: 'keys',
  arity: [0, 0],
  apply(value, _args, work) {
    if (!isContainer(value)) return undefined
    const list = isList(value) ? [...value.keys()] : Object.keys(value)
    work.spend(list.length)
    return list
  },
}
