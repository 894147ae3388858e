/**
 * The loop guard: a result is a new transaction, Metadata sends an event for it, and when that event leads, over
 * whatever dispatchers, to where the result was made, work goes round for ever. Such an event is refused before its
 * handler runs, unless its route allows it. Pure.
 */
import type { Event } from '@pacifica/core'
import { chainOf } from './provenance.ts'

/** Dispatchers that data may have been through before it is taken: nobody means a longer chain. */
export const MAX_CHAIN = 8

/** The event may not go to a handler: its data has been here before, or has come a long way. */
export class LoopGuardError extends Error {
  override readonly name = 'LoopGuardError'
  readonly code = 'LOOP_GUARD'
  readonly chain: readonly string[]

  constructor(reason: string, chain: readonly string[]) {
    super(
      `${reason} (${shown(chain)}). If this ends by itself, set allowLoops: true on the route (or the join); else let its path pass over ` +
        'results, or make results without what it matches',
    )
    this.chain = chain
  }
}

/**
 * Why an event, or those of a join, may not go to a handler of `dispatcher`; undefined when they may. Each event of a join
 * has its own chain: results of ten dispatchers that are joined have each been through one. The chain is what the events'
 * key-values say (provenance.ts), and anybody can write these: it holds against accidents, not against somebody who wants
 * a loop.
 */
export function refusalOf(
  given: Event | readonly Event[],
  dispatcher: string,
): LoopGuardError | undefined {
  const refusals = [given].flat().map((event) => refusalOfOne(event, dispatcher))
  return refusals.find((refusal) => refusal !== undefined)
}

function refusalOfOne(event: Event, dispatcher: string): LoopGuardError | undefined {
  const chain = chainOf(event)
  if (chain.includes(dispatcher)) {
    return new LoopGuardError(
      `the event is about a result of this dispatcher, ${dispatcher}, or of one made from it`,
      chain,
    )
  }
  if (chain.length > MAX_CHAIN) {
    return new LoopGuardError(
      `the event's data has been through ${chain.length} dispatchers, and ${MAX_CHAIN} is the most`,
      chain,
    )
  }
  return undefined
}

function shown(chain: readonly string[]): string {
  const first = chain.slice(0, 2 * MAX_CHAIN).join(' → ')
  const more = chain.length - 2 * MAX_CHAIN
  return more > 0 ? `the chain: ${first} and ${more} more` : `the chain: ${first}`
}
