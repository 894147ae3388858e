/** The two errors of this package. Parsing throws both; matching throws JsonPathLimitError alone. */

/** A place in the subscriber's own text. */
export interface Position {
  /** UTF-16 index, as `text.slice(offset)` takes it. */
  readonly offset: number
  /** 1-based. */
  readonly line: number
  /** 0-based, in code points: what jsonpath2 itself reports. */
  readonly column: number
}

/**
 * The line and column of an offset; only `\n` begins a line.
 * @param text the expression as given
 * @param offset UTF-16 index into it
 */
export function positionAt(text: string, offset: number): Position {
  const before = text.slice(0, offset).split('\n')
  const column = [...(before.at(-1) ?? '')].length
  return { offset, line: before.length, column }
}

export interface SyntaxErrorDetails {
  readonly code?: 'JSONPATH_SYNTAX' | 'JSONPATH_FUNCTION'
  readonly text: string
  readonly offset: number
  readonly expected: string
  readonly hint: string | undefined
}

/** The text is no expression of the dialect (JSONPATH_FUNCTION: it calls a function that does not exist). */
export class JsonPathSyntaxError extends Error {
  /** `JSONPATH_FUNCTION` when the text calls a function that does not exist; else `JSONPATH_SYNTAX`. */
  readonly code: 'JSONPATH_SYNTAX' | 'JSONPATH_FUNCTION'
  /** UTF-16 index into the text as given. */
  readonly offset: number
  /** From 1. */
  readonly line: number
  /** From 0, in code points: what jsonpath2 itself reports. */
  readonly column: number
  /** What would have been right at this place. */
  readonly expected: string
  /** What the author probably meant, where the mistake is a common one. */
  readonly hint: string | undefined

  constructor(problem: string, details: SyntaxErrorDetails) {
    const { offset, line, column } = positionAt(details.text, details.offset)
    super(`${problem} at line ${line}, column ${column}: expected ${details.expected}`)
    this.name = 'JsonPathSyntaxError'
    this.code = details.code ?? 'JSONPATH_SYNTAX'
    this.offset = offset
    this.line = line
    this.column = column
    this.expected = details.expected
    this.hint = details.hint
  }
}

/** Which bound was exceeded: three of the expression, two of its work on a value, three of a pattern. */
export type Limit =
  | ('length' | 'nesting' | 'nodes')
  | ('depth' | 'steps')
  | ('pattern' | 'repetition' | 'expansion')

/** An expression, or its work on a value, is larger than limits.ts allows. */
export class JsonPathLimitError extends Error {
  readonly code = 'JSONPATH_LIMIT'
  /** Which one was exceeded. */
  readonly limit: Limit
  /** Its value, in the unit that limits.ts gives it. */
  readonly maximum: number
  /** What to write instead, where there is such a thing. */
  readonly hint: string | undefined
  /** Where in the text; undefined when the limit was met while matching. */
  readonly offset: number | undefined
  /** From 1; undefined when the limit was met while matching. */
  readonly line: number | undefined
  /** From 0, in code points; undefined when the limit was met while matching. */
  readonly column: number | undefined

  constructor(limit: Limit, maximum: number, at?: Position) {
    const place = at ? ` at line ${at.line}, column ${at.column}` : ''
    super(`${PROBLEMS[limit]}${place}: the limit is ${maximum}`)
    this.name = 'JsonPathLimitError'
    this.limit = limit
    this.maximum = maximum
    this.hint = HINTS[limit]
    this.offset = at?.offset
    this.line = at?.line
    this.column = at?.column
  }
}

const PROBLEMS: Record<Limit, string> = {
  length: 'the expression has too many characters',
  nesting: 'the expression is nested too deeply',
  nodes: 'the expression has too many parts',
  depth: 'the value is nested too deeply',
  steps: 'the expression does too much work on this value',
  pattern: 'the pattern has too many characters',
  repetition: 'the pattern repeats something too often',
  expansion: 'the pattern is too large when its repetitions are written out',
}

const HINTS: Record<Limit, string | undefined> = {
  length: 'split it into several subscriptions',
  nesting: 'leave out parentheses that change nothing, or split the expression',
  nodes: 'split it into several subscriptions',
  depth: undefined,
  steps: 'name the members instead of searching with ..',
  pattern: 'split it into several conditions',
  repetition: "write '*' or '+' for many",
  expansion: "write '*' or '+' for many",
}
