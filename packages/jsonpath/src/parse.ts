/** Text to tree. The front end of each dialect is chosen here; all of them make the same tree. */

import { parseRfc9535 } from './rfc9535/parser.ts'
import { type Parsed, parseText, type Root } from './syntax/parser.ts'
import type { Path } from './syntax/tree.ts'

/**
 * `jsonpath2` is what Pacifica has always had; `rfc9535` is the standard of 2024.
 * @see [python-jsonpath2](https://github.com/pacifica/python-jsonpath2), [RFC 9535](https://www.rfc-editor.org/rfc/rfc9535)
 */
export type Dialect = 'jsonpath2' | 'rfc9535'

/** How an expression is read. */
export interface ParseOptions {
  /** Default: `jsonpath2`. */
  readonly dialect?: Dialect
}

const FRONT_ENDS: Record<Dialect, (text: string, root: Root) => Parsed> = {
  jsonpath2: parseText,
  // No expression of old is written in it: `$` is never left out.
  rfc9535: (text) => parseRfc9535(text),
}

/**
 * Parses an expression, which must begin with `$`.
 * Throws a JsonPathSyntaxError, or a JsonPathLimitError when it is too long, too deep or too large.
 * @param text the expression
 * @param options the dialect
 */
export function parse(text: string, { dialect = 'jsonpath2' }: ParseOptions = {}): Path {
  return parseAs(dialect, text, 'strict').path
}

export function parseAs(dialect: Dialect, text: string, root: Root): Parsed {
  return FRONT_ENDS[dialect](text, root)
}
