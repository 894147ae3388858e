/** What an index of subscriptions does, and what brute force does as well: scan.ts, the reference. */

import type { JsonPathLimitError } from '../errors.ts'
import type { WorkLimits } from '../limits.ts'
import type { Dialect } from '../parse.ts'
import type { Root } from '../syntax/parser.ts'

/** How the expression of a subscription is read. */
export interface ExpressionOptions {
  /** Default: `jsonpath2`. */
  readonly dialect?: Dialect
  /** `optional`, as subscriptions have it, reads `data` as `$.data`. Default: `strict`. */
  readonly root?: Root
}

/** What becomes of expressions that do too much work on the value. */
export interface MatchOptions {
  /**
   * Told of each expression that was evaluated and exceeded its budget, in the order of the ids; the
   * others go on. Without it, the first such error is thrown.
   */
  readonly onError?: (id: string, error: JsonPathLimitError) => void
}

/** Expressions, each under an id, matched against one value at a time. */
export interface Subscriptions {
  /** How many there are. */
  readonly size: number
  /**
   * Adds a subscription, or gives a known one another expression; it keeps its place in the order.
   * Throws a JsonPathSyntaxError or JsonPathLimitError, and then nothing has changed.
   * @param id any text
   * @param text the expression
   * @param options how it is read
   */
  set(id: string, text: string, options?: ExpressionOptions): void
  /**
   * False: there was none of this id.
   * @param id which one
   */
  delete(id: string): boolean
  /**
   * The ids whose expression selects something from the value, in the order in which they were first set.
   * @param value a JSON value, as `JSON.parse` returns it
   * @param options who is told of errors
   */
  match(value: unknown, options?: MatchOptions): string[]
  /**
   * False: it is evaluated for every value, or there is no such subscription.
   * @param id which one
   */
  isIndexed(id: string): boolean
  /** Numbers for metrics; quick to ask for. */
  stats(): SubscriptionStats
}

/** How many subscriptions there are, and what the last match cost. */
export interface SubscriptionStats {
  /** Subscriptions. */
  readonly entries: number
  /** Of those, the ones that are found by looking them up. */
  readonly indexed: number
  /** And the ones that are candidates for every value. */
  readonly scanned: number
  /** Different expressions among them. */
  readonly expressions: number
  /** Expressions that were evaluated in the last match. */
  readonly candidates: number
  /** Memory, estimated. */
  readonly bytes: number
}

/** Bounds on the work of matching. */
export interface SubscriptionsOptions {
  /** Bounds on the work of one expression on one value, where they shall differ from WORK_LIMITS. */
  readonly limits?: Partial<WorkLimits>
}
