/**
 * Every bound of the expression language, in one place. Expressions come from users: whatever they
 * write ends in a value or in a JsonPathLimitError, never in a hang or a stack overflow.
 */

/** Bounds on an expression's text and tree; `parse` throws a JsonPathLimitError beyond them. */
export const EXPRESSION_LIMITS = {
  /** UTF-16 code units of text. The longest real expression has 2,688. */
  length: 8192,
  /** Parentheses, brackets, braces and `not` open at one place. Real ones: at most 7. */
  nesting: 64,
  /** Nodes of the syntax tree, each value inside a literal included. */
  nodes: 2000,
} as const

/** Bounds on a pattern of `match` and `search` (rfc9535). */
export const PATTERN_LIMITS = {
  /** UTF-16 code units. */
  pattern: 256,
  /** `{n}`, `{n,m}`: the larger of the two. */
  repetition: 100,
  /** Characters and classes with every repetition written out: `(a{50}){20}` has 1,000. */
  expansion: 1000,
} as const

/** Integers beyond ±(2^53 - 1) are read as this: no array is that long, so they select nothing. */
export const MAX_INTEGER = Number.MAX_SAFE_INTEGER

/** Bounds on the work that one expression may do on one value. */
export interface WorkLimits {
  /** Steps that every expression has, however small the value. */
  readonly baseSteps: number
  /** Further steps for each node of the value; nodes are only counted when the base is used up. */
  readonly stepsPerNode: number
  /** Never more steps than this. */
  readonly maxSteps: number
  /** Arrays and objects inside one another that `..` or a comparison may enter. */
  readonly depth: number
}

/**
 * Bounds on the work of one expression on one value unless others are given: 20 000 steps and 50 for each node of the
 * value, ten million at most; 128 levels.
 */
export const WORK_LIMITS: WorkLimits = {
  baseSteps: 20_000,
  stepsPerNode: 50,
  maxSteps: 10_000_000,
  depth: 128,
}
