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
  /** UTF-16 index of its first character in the text as given. */
  readonly offset: number
}

/** `$…` from the document, or `@…` from the value at hand. */
export interface Path extends Node {
  readonly kind: 'path'
  /** `$` the document, `@` the value that a filter stands on. */
  readonly origin: '$' | '@'
  /** From left to right; none for `$` alone. */
  readonly steps: readonly Step[]
}

/** One `[sub, sub]`; with `descends` it is applied to the value and to all that is inside it. */
export interface Step extends Node {
  /** Two dots: also all that is inside the value. */
  readonly descends: boolean
  /** One or more; what each selects comes in this order. */
  readonly subs: readonly Sub[]
}

/** What stands between brackets, or after a dot. */
export type Sub = Name | Index | Slice | Wildcard | Filter | Subpath | Call | Span | Where

/** `.name` or `["name"]`: a member of an object. */
export interface Name extends Node {
  readonly kind: 'name'
  /** The member's name, escapes resolved. */
  readonly name: string
}

/** `[0]`, `[-1]`: an element of a list, counted from its end when negative. */
export interface Index extends Node {
  readonly kind: 'index'
  /** From 0; -1 is the last. */
  readonly index: number
}

/** jsonpath2, `start:end:step`: elements of a list. Unlike in Python the ends do not turn round for a negative step. */
export interface Slice extends Node {
  readonly kind: 'slice'
  /** The first; undefined: not given. */
  readonly start: number | undefined
  /** The first that is not taken; undefined: not given. */
  readonly end: number | undefined
  /** Every so many; undefined: not given. */
  readonly step: number | undefined
}

/** `*`: all elements of a list, all members of an object. */
export interface Wildcard extends Node {
  readonly kind: 'wildcard'
}

/** `?(e)`: the value itself, if e holds for it. */
export interface Filter extends Node {
  readonly kind: 'filter'
  /** The condition. */
  readonly expression: Expression
}

/** `[@.key]`: what the path selects is used as name or index. */
export interface Subpath extends Node {
  readonly kind: 'subpath'
  /** From the value, or from the document. */
  readonly path: Path
}

/** jsonpath2, `[name(…)]`: what a function makes of the value, such as `substring(0, 5)`. */
export interface Call extends Node {
  readonly kind: 'call'
  /** The function's. */
  readonly name: string
  /** In their order. */
  readonly args: readonly Operand[]
}

/** rfc9535, `start:end:step`: the ends turn round for a negative step; a step of 0 selects nothing. */
export interface Span extends Node {
  readonly kind: 'span'
  /** The first; undefined: not given. */
  readonly start: number | undefined
  /** The first that is not taken; undefined: not given. */
  readonly end: number | undefined
  /** Every so many; undefined: not given. */
  readonly step: number | undefined
}

/** rfc9535, `?e`: the children for which e holds. */
export interface Where extends Node {
  readonly kind: 'where'
  /** The condition. */
  readonly expression: Expression
}

/** A condition. */
export type Expression = Variadic | Not | Comparison | Bare | Relation | Test

/** Two terms or more; no term has the same kind as its parent. */
export interface Variadic extends Node {
  /** All of them, or one of them. */
  readonly kind: 'and' | 'or'
  /** In the order of the text. */
  readonly terms: readonly Expression[]
}

/** The opposite. */
export interface Not extends Node {
  readonly kind: 'not'
  /** What must not hold. */
  readonly term: Expression
}

/** How jsonpath2 compares. `contains`: a list has the element, an object the name, a text the part. */
export type Operator = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains'

/** jsonpath2: holds when it holds for some pair of the values that both sides select. */
export interface Comparison extends Node {
  readonly kind: 'comparison'
  /** Between the two. */
  readonly operator: Operator
  /** What stands before it. */
  readonly left: Operand
  /** What stands after it. */
  readonly right: Operand
}

/** A path alone (does it select anything?) or a literal alone (is it true?). */
export interface Bare extends Node {
  readonly kind: 'bare'
  /** The path or the literal. */
  readonly operand: Operand
}

/** What jsonpath2 compares. */
export type Operand = Path | Literal

/** A value that is written in the expression. */
export interface Literal extends Node {
  readonly kind: 'literal'
  /** The value. */
  readonly value: Json
  /** The literal is a number written with a point or an exponent: `1.0` is no index. */
  readonly float: boolean
}

/** How rfc9535 compares. */
export type RelationOperator = '==' | '!=' | '<' | '<=' | '>' | '>='

/** rfc9535: two values, each of which may be missing. */
export interface Relation extends Node {
  readonly kind: 'relation'
  /** Between the two. */
  readonly operator: RelationOperator
  /** What stands before it. */
  readonly left: Comparable
  /** What stands after it. */
  readonly right: Comparable
}

/** rfc9535: a function that says yes or no, as a condition. */
export interface Test extends Node {
  readonly kind: 'test'
  /** The function, and what it is asked about. */
  readonly call: FunctionCall
}

/** One value or none: a literal, a path of names and indices, or what a function makes of its arguments. */
export type Comparable = Path | Literal | FunctionCall

/** rfc9535: a function of some values. */
export interface FunctionCall extends Node {
  readonly kind: 'function'
  /** The five that RFC 9535 defines. */
  readonly name: 'length' | 'count' | 'match' | 'search' | 'value'
  /** Paths are singular but for the argument of `count` and `value`. */
  readonly args: readonly Comparable[]
}
