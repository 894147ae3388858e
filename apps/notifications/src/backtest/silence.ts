/**
 * What to do when Policy does not answer. Pure. A service that is away for a moment is waited for; an event on which Policy
 * never answers is passed over, so that it holds up nothing; after many of those Policy itself is taken to be away.
 */
import type { Verdict } from './gate.ts'
import type { Tally } from './tally.ts'

export type Silence =
  | { readonly kind: 'wait'; readonly waiting: string; readonly againInMs: number }
  | { readonly kind: 'give up'; readonly reason: string }

const WAITS_AT_ONE_PLACE = 3
export const MOST_IN_A_ROW = 100

/** Undefined: go on. @param verdicts on the events at the present place */
export function silenceOf(
  { silences, unansweredInARow }: Pick<Tally, 'silences' | 'unansweredInARow'>,
  verdicts: readonly Verdict[],
  firstMs: number,
): Silence | undefined {
  const asked = verdicts.filter(({ fresh }) => fresh)
  const last = asked.at(-1)
  if (last === undefined || asked.some(({ kind }) => kind !== 'unknown')) return undefined
  const why = `Policy gives no answer: ${last.reason}`
  if (silences < WAITS_AT_ONE_PLACE)
    return { kind: 'wait', waiting: why, againInMs: firstMs * 2 ** silences }
  if (unansweredInARow + asked.length < MOST_IN_A_ROW) return undefined
  return { kind: 'give up', reason: `${why}, for ${MOST_IN_A_ROW} events in a row` }
}
