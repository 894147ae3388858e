/** Text to tree. The front end of each dialect is chosen here; all of them make the same tree. */

import { type Parsed, parseText, type Root } from './syntax/parser.ts'
import type { Path } from './syntax/tree.ts'

export type Dialect = 'jsonpath2'

export interface ParseOptions {
  /** Default: `jsonpath2`. */
  readonly dialect?: Dialect
}

const FRONT_ENDS: Record<Dialect, (text: string, root: Root) => Parsed> = {
  jsonpath2: parseText,
}

/**
 * Parses an expression, which must begin with `$`.
 * Throws a JsonPathSyntaxError, or a JsonPathLimitError when it is too long, too deep or too large.
 */
export function parse(text: string, { dialect = 'jsonpath2' }: ParseOptions = {}): Path {
  return parseAs(dialect, text, 'strict').path
}

export function parseAs(dialect: Dialect, text: string, root: Root): Parsed {
  return FRONT_ENDS[dialect](text, root)
}
