/** What a parse may use up: characters, nesting, nodes. */

import { JsonPathLimitError, positionAt } from '../errors.ts'
import { EXPRESSION_LIMITS } from '../limits.ts'

export class Bounds {
  readonly #text: string
  #nesting = 0
  #nodes = 0

  constructor(text: string) {
    this.#text = text
    if (text.length > EXPRESSION_LIMITS.length) this.#exceeded('length', EXPRESSION_LIMITS.length)
  }

  /** Reads what stands inside one more pair of brackets, parentheses or braces, or after a `not`. */
  nested<T>(offset: number, read: () => T): T {
    this.#nesting += 1
    if (this.#nesting > EXPRESSION_LIMITS.nesting) this.#exceeded('nesting', offset)
    const result = read()
    this.#nesting -= 1
    return result
  }

  /** Counts a node of the tree. */
  node<T>(offset: number, node: T): T {
    this.#nodes += 1
    if (this.#nodes > EXPRESSION_LIMITS.nodes) this.#exceeded('nodes', offset)
    return node
  }

  #exceeded(limit: 'length' | 'nesting' | 'nodes', offset: number): never {
    throw new JsonPathLimitError(limit, EXPRESSION_LIMITS[limit], positionAt(this.#text, offset))
  }
}
