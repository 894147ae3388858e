/** Where a parse stands: the token at hand, what is open around it, and what it has built so far. */

import { JsonPathSyntaxError } from '../errors.ts'
import { Bounds } from './bounds.ts'
import { hintFor } from './hints.ts'
import { type Token, type TokenKind, tokenAt } from './lexer.ts'

export class Reader {
  readonly text: string
  #token: Token
  #previous: Token | undefined
  readonly #bounds: Bounds

  constructor(text: string) {
    this.#bounds = new Bounds(text)
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
    return this.#bounds.nested(this.#token.offset, read)
  }

  /** Counts a node of the tree. */
  node<T>(node: T): T {
    return this.#bounds.node(this.#token.offset, node)
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
}
