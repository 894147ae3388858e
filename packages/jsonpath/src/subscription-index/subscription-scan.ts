/** Brute force: every expression on every value. The reference that the index is held to. */

import { type CompiledPath, compile } from '../compile/compile.ts'
import type {
  ExpressionOptions,
  MatchOptions,
  Subscriptions,
  SubscriptionsOptions,
} from './subscriptions.ts'
import { attempt, Verdicts } from './verdicts.ts'

export class SubscriptionScan implements Subscriptions {
  readonly #limits: NonNullable<SubscriptionsOptions['limits']>
  readonly #expressions = new Map<string, CompiledPath>()

  constructor({ limits = {} }: SubscriptionsOptions = {}) {
    this.#limits = limits
  }

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
    let place = 0
    for (const [id, expression] of this.#expressions) {
      place += 1
      verdicts.add(
        { id, place },
        attempt(() => expression.test(value)),
      )
    }
    return verdicts.report(options)
  }
}
