/** What a command of pacifica-notifications-cmd is: one file each. */
import type { ParseArgsConfig } from 'node:util'

/** What was given on the command line, by the option's name. */
export interface Given {
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly words: readonly string[]
}

export class UsageError extends Error {
  readonly code = 'CLI_USAGE'
}

export interface Command {
  readonly name: string
  /** The lines of its help, below `usage:`. */
  readonly help: string
  readonly options: NonNullable<ParseArgsConfig['options']>
  /** Whether it takes words beside its options, and what they are: `UUID`. */
  readonly words?: string
}

/** @throws UsageError */
export function wholeNumber(given: Given, name: string, fallback: number): number {
  const text = given.options[name]
  if (typeof text !== 'string') return fallback
  if (/^\d{1,15}$/.test(text) && Number(text) > 0) return Number(text)
  throw new UsageError(`--${name} ${text}: expected a whole number, at least 1`)
}

export function textOf(given: Given, name: string): string | undefined {
  const value = given.options[name]
  return typeof value === 'string' ? value : undefined
}
