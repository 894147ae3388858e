/** Where a parse stands: the token at hand, what is open around it, and what it has built so far. */

import { JsonPathLimitError, JsonPathSyntaxError, positionAt } from '../errors.ts'
import { EXPRESSION_LIMITS } from '../limits.ts'
import { hintFor } from './hints.ts'
import { type Token, type TokenKind, tokenAt } from './lexer.ts'

export class Reader {
  readonly text: string
  #token: Token
  #previous: Token | undefined
  #nesting = 0
  #nodes = 0

  constructor(text: string) {
    if (text.length > EXPRESSION_LIMITS.length) {
      throw this.#limit('length', text, EXPRESSION_LIMITS.length)
    }
    this.text = text
    this.#token = tokenAt(text, 0)
  }

  get token(): Token {
    return this.#token
  }

  /** The token at hand as it is written. */
  get word(): string {
    return this.text.slice(this.#token.offset, this.#token.end)
  }

  /** Returns the token at hand and goes on to the next. */
  take(): Token {
    const taken = this.#token
    this.#previous = taken
    this.#token = tokenAt(this.text, taken.end)
    return taken
  }

  /** Takes the token at hand if it is of this kind. */
  accept(kind: TokenKind): boolean {
    if (this.#token.kind !== kind) return false
    this.take()
    return true
  }

  expect(kind: TokenKind, expected: string): Token {
    return this.#token.kind === kind ? this.take() : this.fail(expected)
  }

  /** Reads what stands inside one more pair of brackets, parentheses or braces, or after a `not`. */
  nested<T>(read: () => T): T {
    this.#nesting += 1
    if (this.#nesting > EXPRESSION_LIMITS.nesting) {
      throw this.#limit('nesting', this.text, this.#token.offset)
    }
    const result = read()
    this.#nesting -= 1
    return result
  }

  /** Counts a node of the tree. */
  node<T>(node: T): T {
    this.#nodes += 1
    if (this.#nodes > EXPRESSION_LIMITS.nodes) {
      throw this.#limit('nodes', this.text, this.#token.offset)
    }
    return node
  }

  /** The token at hand is not what the grammar wants here. */
  fail(expected: string): never {
    throw this.error(this.#problem(), expected)
  }

  error(problem: string, expected: string, token: Token = this.#token): JsonPathSyntaxError {
    const hint = hintFor({ text: this.text, token, previous: this.#previous })
    return new JsonPathSyntaxError(problem, {
      text: this.text,
      offset: token.offset,
      expected,
      hint,
    })
  }

  #problem(): string {
    if (this.#token.kind === 'end') return 'the expression ends too early'
    return this.#token.problem ?? `unexpected '${this.word}'`
  }

  #limit(limit: 'length' | 'nesting' | 'nodes', text: string, offset: number): JsonPathLimitError {
    return new JsonPathLimitError(limit, EXPRESSION_LIMITS[limit], positionAt(text, offset))
  }
}
