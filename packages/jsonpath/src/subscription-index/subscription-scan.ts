/** Brute force: every expression on every value. The reference that the index is held to. */

import { type CompiledPath, compile } from '../compile/compile.ts'
import type {
  ExpressionOptions,
  MatchOptions,
  SubscriptionStats,
  Subscriptions,
  SubscriptionsOptions,
} from './subscriptions.ts'
import { limitError, type Outcome, Verdicts } from './verdicts.ts'

/**
 * The same as `SubscriptionIndex` by brute force: every expression is evaluated for every value. For comparisons.
 */
export class SubscriptionScan implements Subscriptions {
  readonly #limits: NonNullable<SubscriptionsOptions['limits']>
  readonly #expressions = new Map<string, CompiledPath>()
  #candidates = 0

  /** @param options bounds on work */
  constructor({ limits = {} }: SubscriptionsOptions = {}) {
    this.#limits = limits
  }

  /** How many subscriptions there are. */
  get size(): number {
    return this.#expressions.size
  }

  set(id: string, text: string, options: ExpressionOptions = {}): void {
    this.#expressions.set(id, compile(text, { ...options, limits: this.#limits }))
  }

  delete(id: string): boolean {
    return this.#expressions.delete(id)
  }

  match(value: unknown, options: MatchOptions = {}): string[] {
    const verdicts = new Verdicts()
    this.#candidates = this.size
    let place = 0
    for (const [id, expression] of this.#expressions) {
      place += 1
      verdicts.add({ id, place }, evaluate(expression, value))
    }
    return verdicts.report(options)
  }

  isIndexed(): boolean {
    return false
  }

  stats(): SubscriptionStats {
    const entries = this.size
    const texts = [...this.#expressions.values()].map(({ text }) => text.length)
    const bytes = texts.reduce((sum, length) => sum + BYTES + length * BYTES_PER_CHARACTER, 0)
    const candidates = this.#candidates
    return { entries, indexed: 0, scanned: entries, expressions: entries, candidates, bytes }
  }
}

/** Measured on real expressions: tree and closures. */
const BYTES = 2500
const BYTES_PER_CHARACTER = 45

function evaluate(expression: CompiledPath, value: unknown): Outcome {
  try {
    return expression.test(value)
  } catch (error) {
    return limitError(error)
  }
}
