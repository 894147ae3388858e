/**
 * Things that are legal and probably not meant. They are said when an expression is compiled, and
 * matched as written.
 */

import type { Dialect } from '../parse.ts'
import type { Path } from '../syntax/tree.ts'
import { warningsOfJsonpath2 } from './jsonpath2.ts'
import { warningsOfRfc9535 } from './rfc9535.ts'
import type { Warning } from './warning.ts'

const WARNINGS: Record<Dialect, (path: Path, mixed: readonly number[]) => Warning[]> = {
  jsonpath2: warningsOfJsonpath2,
  rfc9535: warningsOfRfc9535,
}

/** `mixed`: where `or` stands beside `and` without parentheses; the parser alone can see it. */
export function warningsOf(path: Path, mixed: readonly number[], dialect: Dialect): Warning[] {
  return WARNINGS[dialect](path, mixed).sort((one, other) => one.offset - other.offset)
}
