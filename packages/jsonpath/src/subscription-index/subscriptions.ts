/** What an index of subscriptions does, and what brute force does as well: scan.ts, the reference. */

import type { JsonPathLimitError } from '../errors.ts'
import type { WorkLimits } from '../limits.ts'
import type { Dialect } from '../parse.ts'
import type { Root } from '../syntax/parser.ts'

export interface ExpressionOptions {
  readonly dialect?: Dialect
  /** `optional`, as subscriptions have it, reads `data` as `$.data`. Default: `strict`. */
  readonly root?: Root
}

export interface MatchOptions {
  /**
   * Told of each expression that was evaluated and exceeded its budget, in the order of the ids; the
   * others go on. Without it, the first such error is thrown.
   */
  readonly onError?: (id: string, error: JsonPathLimitError) => void
}

export interface Subscriptions {
  readonly size: number
  /**
   * Adds a subscription, or gives a known one another expression; it keeps its place in the order.
   * Throws a JsonPathSyntaxError or JsonPathLimitError, and then nothing has changed.
   */
  set(id: string, text: string, options?: ExpressionOptions): void
  /** False: there was none of this id. */
  delete(id: string): boolean
  /** The ids whose expression selects something from the value, in the order in which they were first set. */
  match(value: unknown, options?: MatchOptions): string[]
  /** False: it is evaluated for every value, or there is no such subscription. */
  isIndexed(id: string): boolean
  stats(): SubscriptionStats
}

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

export interface SubscriptionsOptions {
  /** Bounds on the work of one expression on one value, where they shall differ from WORK_LIMITS. */
  readonly limits?: Partial<WorkLimits>
}
