/** Paths that select one value at most. */

import type { Path } from './tree.ts'

/** `$.a["b"][0]`: names and indices only. */
export function isSingular({ steps }: Pick<Path, 'steps'>): boolean {
  return steps.every(({ descends, subs: [sub, ...others] }) => {
    return !descends && others.length === 0 && (sub?.kind === 'name' || sub?.kind === 'index')
  })
}
