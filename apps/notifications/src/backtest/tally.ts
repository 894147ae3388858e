/** What a backtest has counted so far. Pure: the job's row holds it as JSON, and each step adds to it. */
import type { Verdict } from './gate.ts'

export interface Tally {
  /** Events gone past, whatever became of them. */
  readonly looked: number
  /** Those on which the expression was run; of no other is anything counted below but Policy's answer. */
  readonly evaluated: number
  readonly matched: number
  readonly overBudget: number
  /** Stored before this service could have refused them. */
  readonly unreadable: number
  /** Of evaluations that came to an end. */
  readonly steps: number
  readonly mostSteps: number
  readonly allowed: number
  readonly denied: number
  readonly unknown: number
  /** Questions that Policy was asked. */
  readonly asked: number
  /** Why it was not allowed: how often. */
  readonly reasons: Readonly<Record<string, number>>
  /** Matches by hour, day or month: see buckets.ts. */
  readonly buckets: Readonly<Record<string, number>>
  /** How often Policy was silent at the present place, and about how many events in a row it was passed over. */
  readonly silences: number
  readonly unansweredInARow: number
  readonly sampled: Readonly<Record<SampleKind, number>>
  /** Of the samples' matched parts, in characters. */
  readonly sampledSize: number
}

export const SAMPLE_KINDS = ['matched', 'denied', 'unknown', 'over_budget'] as const
export type SampleKind = (typeof SAMPLE_KINDS)[number]

export const EMPTY: Tally = {
  ...{ looked: 0, evaluated: 0, matched: 0, overBudget: 0, unreadable: 0, steps: 0, mostSteps: 0 },
  ...{ allowed: 0, denied: 0, unknown: 0, asked: 0, reasons: {}, buckets: {} },
  ...{ silences: 0, unansweredInARow: 0, sampledSize: 0 },
  sampled: { matched: 0, denied: 0, unknown: 0, over_budget: 0 },
}

export type Evaluated =
  | { readonly kind: 'matched' | 'unmatched'; readonly steps: number }
  | { readonly kind: 'over_budget' | 'unreadable' }

/** One event that was looked at. */
export interface Seen {
  /** The hour, day or month in which it was accepted. */
  readonly bucket: string
  /** Undefined: nobody had to ask. */
  readonly verdict: Verdict | undefined
  /** Undefined: the one who asks may not see it. */
  readonly evaluated: Evaluated | undefined
}

/** Reasons beyond these are counted together. */
const MOST_REASONS = 20
export const OTHER_REASONS = 'other reasons'

export function count(tally: Tally, { bucket, verdict, evaluated }: Seen): Tally {
  const looked = { ...tally, looked: tally.looked + 1 }
  return countEvaluated(countVerdict(looked, verdict), evaluated, bucket)
}

function countVerdict(tally: Tally, verdict: Verdict | undefined): Tally {
  if (verdict === undefined) return tally
  const { kind, fresh } = verdict
  const asked = tally.asked + (fresh ? 1 : 0)
  const answered = fresh && kind !== 'unknown'
  const unanswered = fresh && kind === 'unknown' ? tally.unansweredInARow + 1 : undefined
  const unansweredInARow = answered ? 0 : (unanswered ?? tally.unansweredInARow)
  const reasons = kind === 'allowed' ? tally.reasons : more(tally.reasons, verdict.reason)
  return { ...tally, [kind]: tally[kind] + 1, asked, reasons, unansweredInARow }
}

function more(reasons: Tally['reasons'], reason: string): Tally['reasons'] {
  const known = Object.hasOwn(reasons, reason) || Object.keys(reasons).length < MOST_REASONS
  return plusOne(reasons, known ? reason : OTHER_REASONS)
}

function plusOne(counts: Readonly<Record<string, number>>, name: string): Record<string, number> {
  const before = Object.hasOwn(counts, name) ? (counts[name] ?? 0) : 0
  return { ...counts, [name]: before + 1 }
}

function countEvaluated(tally: Tally, evaluated: Evaluated | undefined, bucket: string): Tally {
  switch (evaluated?.kind) {
    case undefined:
      return tally
    case 'unreadable':
      return { ...tally, unreadable: tally.unreadable + 1 }
    case 'over_budget':
      return { ...tally, evaluated: tally.evaluated + 1, overBudget: tally.overBudget + 1 }
    case 'unmatched':
      return withSteps(tally, evaluated.steps)
    case 'matched': {
      const counted = withSteps(tally, evaluated.steps)
      return { ...counted, matched: tally.matched + 1, buckets: plusOne(tally.buckets, bucket) }
    }
  }
}

function withSteps(tally: Tally, steps: number): Tally {
  return {
    ...tally,
    evaluated: tally.evaluated + 1,
    steps: tally.steps + steps,
    mostSteps: Math.max(tally.mostSteps, steps),
  }
}
