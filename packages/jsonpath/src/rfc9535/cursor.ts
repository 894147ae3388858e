/**
 * Where a parse of rfc9535 stands. The grammar says of every place whether white space may stand
 * there, so it is read character by character.
 */

import { JsonPathLimitError, JsonPathSyntaxError, positionAt } from '../errors.ts'
import { Bounds } from '../syntax/bounds.ts'
import { hintFor } from './hints.ts'

const SPACE = /[ \t\r\n]*/y

export class Cursor {
  readonly text: string
  readonly #bounds: Bounds
  at = 0

  constructor(text: string) {
    this.#bounds = new Bounds(text)
    this.text = text
  }

  get isAtEnd(): boolean {
    return this.at === this.text.length
  }

  /** The character at hand, empty at the end. */
  get next(): string {
    return this.text.charAt(this.at)
  }

  /** S */
  space(): void {
    this.take(SPACE)
  }

  sees(expected: string): boolean {
    return this.text.startsWith(expected, this.at)
  }

  accept(expected: string): boolean {
    if (!this.sees(expected)) return false
    this.at += expected.length
    return true
  }

  /** Space, and then this. */
  acceptAfterSpace(expected: string): boolean {
    const before = this.at
    this.space()
    if (this.accept(expected)) return true
    this.at = before
    return false
  }

  /** What a sticky pattern matches here. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)?.[0]
    this.at += found?.length ?? 0
    return found
  }

  expect(wanted: string, expected: string): void {
    if (!this.accept(wanted)) this.fail(expected)
  }

  nested<T>(read: () => T): T {
    return this.#bounds.nested(this.at, read)
  }

  node<T>(node: T): T {
    return this.#bounds.node(this.at, node)
  }

  /** What stands here is not what the grammar wants. */
  fail(expected: string): never {
    const character = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0)
    const problem = this.isAtEnd
      ? 'the expression ends too early'
      : `unexpected ${/^["'`]$/.test(character) ? character : JSON.stringify(character).replaceAll('"', "'")}`
    throw this.error(problem, { expected, offset: this.at })
  }

  error(
    problem: string,
    { expected, offset, hint, code = 'JSONPATH_SYNTAX' }: Mistake,
  ): JsonPathSyntaxError {
    return new JsonPathSyntaxError(problem, {
      code,
      text: this.text,
      offset,
      expected,
      hint: hint ?? hintFor(this.text, offset),
    })
  }

  /** The same limit, met at this place of the text. */
  limit({ limit, maximum }: JsonPathLimitError, offset: number): JsonPathLimitError {
    return new JsonPathLimitError(limit, maximum, positionAt(this.text, offset))
  }
}

interface Mistake {
  readonly expected: string
  readonly offset: number
  readonly hint?: string | undefined
  readonly code?: JsonPathSyntaxError['code']
}
