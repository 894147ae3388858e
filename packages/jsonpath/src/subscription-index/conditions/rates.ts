/**
 * How often an atom will hold of an event: as observed, where it disappointed before, or else by how
 * many expressions mention it, since what all ask for is what all events have.
 */

import type { Atom } from './atom.ts'
import type { Plan } from './plan.ts'
import { Sketch } from './sketch.ts'

/** Of atoms that nobody has observed; equality is multiplied by the share that mentions it. */
const PRIOR = { equals: 0.5, same: 0.5, ordered: 0.6, exists: 0.7 }
/** What each member takes off that is asked for together with others. */
const LESS_FOR_EACH = 0.05

/** Observations that are kept; the oldest are forgotten. */
const MOST_OBSERVED = 20_000

export class Rates {
  readonly #mentions = new Sketch()
  readonly #observed = new Map<number, number>()
  #expressions = 0

  get bytes(): number {
    return this.#mentions.bytes + this.#observed.size * 48
  }

  /** An expression with this plan comes (1) or goes (-1). */
  mention(plan: Plan | undefined, change: 1 | -1): void {
    this.#expressions += change
    if (plan) this.#note(plan, change)
  }

  #note(plan: Plan, change: 1 | -1): void {
    if ('oneOf' in plan) for (const one of plan.oneOf) this.#note(one, change)
    else if ('each' in plan) for (const one of plan.each) this.#note(one, change)
    else this.#mentions.note(plan.hash, change)
  }

  observe(hash: number, rate: number): void {
    this.#observed.delete(hash)
    this.#observed.set(hash, rate)
    if (this.#observed.size <= MOST_OBSERVED) return
    for (const oldest of this.#observed.keys()) {
      this.#observed.delete(oldest)
      break
    }
  }

  rateOf({ hash, question }: Atom): number {
    const observed = this.#observed.get(hash)
    if (observed !== undefined) return observed
    if (question.kind === 'exists' || question.kind === 'ordered') return PRIOR[question.kind]
    const share = this.#mentions.count(hash) / Math.max(this.#expressions, 1)
    if (question.kind !== 'members') return PRIOR[question.kind] * share
    return (PRIOR.equals - LESS_FOR_EACH * question.names.length) * share
  }

  /** The atoms to look up, the rarest there are, where those with these hashes hold already. */
  choose(plan: Plan, holding: readonly number[] = []): Choice {
    if ('oneOf' in plan) return plan.oneOf.map((one) => this.choose(one, holding)).reduce(rarer)
    if ('each' in plan) return plan.each.map((one) => this.choose(one, holding)).reduce(joined)
    return { atoms: [plan], rate: holding.includes(plan.hash) ? 1 : this.rateOf(plan) }
  }
}

interface Choice {
  readonly atoms: readonly Atom[]
  readonly rate: number
}

function rarer(one: Choice, other: Choice): Choice {
  return other.rate < one.rate ? other : one
}

function joined(one: Choice, other: Choice): Choice {
  return { atoms: [...one.atoms, ...other.atoms], rate: one.rate + other.rate }
}
