/** What came of a row, and how steady the machine was meanwhile. */
import type { Measured } from './row.ts'

export interface Outcome {
  readonly name: string
  /** What the row measures; its name, when it could not be loaded. */
  readonly what: string
  /** When it began, as others saw the machine: the same work each time, and who else was waiting for a processor. */
  readonly calibrationMs: number
  /** Load averages of the last minute. */
  readonly load: { readonly before: number; readonly after: number }
  readonly seconds: number
  readonly result: Result
}

export type Result =
  | { readonly kind: 'measured'; readonly measured: readonly Measured[] }
  | { readonly kind: 'failed'; readonly reason: string }

/** From a row's process to the runner. */
export type FromRow =
  | { readonly kind: 'begun'; readonly what: string }
  | { readonly kind: 'said'; readonly line: string }
  | Result
