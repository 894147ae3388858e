/**
 * The syntax tree, as parse makes it and evaluate, compile and print read it. `.name` and `["name"]`
 * are one thing here, and so are `(a and b) and c` and `a and b and c`: they mean the same.
 *
 * Both dialects make this tree. What means the same in both is one kind of node; what does not is two
 * (Filter and Where, Slice and Span, Comparison and Relation), so that a tree means what it means
 * whoever wrote it.
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

export type Sub = Name | Index | Slice | Wildcard | Filter | Subpath | Call | Span | Where

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

/** rfc9535, `start:end:step`: the ends turn round for a negative step; a step of 0 selects nothing. */
export interface Span extends Node {
  readonly kind: 'span'
  readonly start: number | undefined
  readonly end: number | undefined
  readonly step: number | undefined
}

/** rfc9535, `?e`: the children for which e holds. */
export interface Where extends Node {
  readonly kind: 'where'
  readonly expression: Expression
}

export type Expression = Variadic | Not | Comparison | Bare | Relation | Test

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

export type RelationOperator = '==' | '!=' | '<' | '<=' | '>' | '>='

/** rfc9535: two values, each of which may be missing. */
export interface Relation extends Node {
  readonly kind: 'relation'
  readonly operator: RelationOperator
  readonly left: Comparable
  readonly right: Comparable
}

/** rfc9535: a function that says yes or no, as a condition. */
export interface Test extends Node {
  readonly kind: 'test'
  readonly call: FunctionCall
}

/** One value or none: a literal, a path of names and indices, or what a function makes of its arguments. */
export type Comparable = Path | Literal | FunctionCall

export interface FunctionCall extends Node {
  readonly kind: 'function'
  readonly name: 'length' | 'count' | 'match' | 'search' | 'value'
  /** Paths are singular but for the argument of `count` and `value`. */
  readonly args: readonly Comparable[]
}
