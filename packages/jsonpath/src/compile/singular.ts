/** Paths that select one value at most. */

import type { Path } from '../syntax/tree.ts'
import type { Scope } from './constant.ts'

/** `$.a["b"][0]`: names and indices only. */
export function isSingular({ steps }: Path): boolean {
  return steps.every(({ descends, subs: [sub, ...others] }) => {
    return !descends && others.length === 0 && (sub?.kind === 'name' || sub?.kind === 'index')
  })
}

/** Walking to one value is as quick as looking it up. */
export function scopeOf(path: Path): Scope {
  return isSingular(path) ? 'run' : 'shared'
}
