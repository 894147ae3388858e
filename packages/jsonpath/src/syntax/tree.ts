/**
 * The syntax tree, as parse makes it and evaluate, compile and print read it. `.name` and `["name"]`
 * are one thing here, and so are `(a and b) and c` and `a and b and c`: they mean the same.
 */

/** A JSON value, as it stands in an expression or comes in an event. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json }

/** Each node knows where it begins in the subscriber's text. */
interface Node {
  readonly offset: number
}

/** `$…` from the document, or `@…` from the value at hand. */
export interface Path extends Node {
  readonly kind: 'path'
  readonly origin: '$' | '@'
  readonly steps: readonly Step[]
}

/** One `[sub, sub]`; with `descends` it is applied to the value and to all that is inside it. */
export interface Step extends Node {
  readonly descends: boolean
  readonly subs: readonly Sub[]
}

export type Sub = Name | Index | Slice | Wildcard | Filter | Subpath | Call

export interface Name extends Node {
  readonly kind: 'name'
  readonly name: string
}

export interface Index extends Node {
  readonly kind: 'index'
  readonly index: number
}

export interface Slice extends Node {
  readonly kind: 'slice'
  readonly start: number | undefined
  readonly end: number | undefined
  readonly step: number | undefined
}

export interface Wildcard extends Node {
  readonly kind: 'wildcard'
}

/** `?(e)`: the value itself, if e holds for it. */
export interface Filter extends Node {
  readonly kind: 'filter'
  readonly expression: Expression
}

/** `[@.key]`: what the path selects is used as name or index. */
export interface Subpath extends Node {
  readonly kind: 'subpath'
  readonly path: Path
}

export interface Call extends Node {
  readonly kind: 'call'
  readonly name: string
  readonly args: readonly Operand[]
}

export type Expression = Variadic | Not | Comparison | Bare

/** Two terms or more; no term has the same kind as its parent. */
export interface Variadic extends Node {
  readonly kind: 'and' | 'or'
  readonly terms: readonly Expression[]
}

export interface Not extends Node {
  readonly kind: 'not'
  readonly term: Expression
}

export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains'

export interface Comparison extends Node {
  readonly kind: 'comparison'
  readonly operator: Operator
  readonly left: Operand
  readonly right: Operand
}

/** A path alone (does it select anything?) or a literal alone (is it true?). */
export interface Bare extends Node {
  readonly kind: 'bare'
  readonly operand: Operand
}

export type Operand = Path | Literal

export interface Literal extends Node {
  readonly kind: 'literal'
  readonly value: Json
  /** The literal is a number written with a point or an exponent: `1.0` is no index. */
  readonly float: boolean
}
