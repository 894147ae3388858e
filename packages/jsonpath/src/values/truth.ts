/** Python's truth of a literal: false for 0, "", null, false, [] and {}. */

import { isContainer, isList } from './kinds.ts'

export function isTrue(value: unknown): boolean {
  if (!isContainer(value)) return Boolean(value)
  return isList(value) ? value.length > 0 : Object.keys(value).length > 0
}
