/** What a draft says of one stored event, and which of its parts are shown. Pure. */
import { Event, EventFormatError } from '@pacifica/core'
import { type CompiledPath, JsonPathLimitError } from '@pacifica/jsonpath'
import { explain } from '../subscriptions/explain.ts'
import type { Version } from '../subscriptions/subscription.ts'
import type { Evaluated } from './tally.ts'

export interface Draft {
  readonly expression: CompiledPath
  readonly version: Version
}

export function evaluate({ expression, version }: Draft, text: string): Evaluated {
  try {
    const { matches, steps } = expression.measure(Event.parse(text).project(version))
    return { kind: matches ? 'matched' : 'unmatched', steps }
  } catch (error) {
    if (error instanceof JsonPathLimitError) return { kind: 'over_budget' }
    if (error instanceof EventFormatError) return { kind: 'unreadable' }
    throw error
  }
}

/** The matched parts of an event, as far as they may be shown. */
export interface Found {
  readonly count: number
  readonly values: readonly unknown[]
  readonly truncated: boolean
  readonly error: string | null
}

const MOST_VALUES = 20
/** Of JSON text, in characters: of one event, and of all that a backtest shows. */
const MOST_SIZE = 16 * 1024
export const MOST_SIZE_IN_ALL = 256 * 1024

/** Of an event that matches. @param room what all samples together may still have, in characters */
export function foundIn({ expression, version }: Draft, text: string, room: number): Found {
  const { count, values, error, truncated } = explain(expression, Event.parse(text), version)
  const shown: unknown[] = []
  let left = Math.min(room, MOST_SIZE)
  for (const value of values.slice(0, MOST_VALUES)) {
    left -= JSON.stringify(value).length
    if (left < 0) break
    shown.push(value)
  }
  return { count, values: shown, truncated: truncated || shown.length < values.length, error }
}
