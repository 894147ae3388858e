/**
 * One turn of a backtest: batch after batch of stored events, newest first, within its pace, until its time is up.
 *
 * Invariant: of a job that is not an admin's, the expression is run on no event that its owner may not see. Whatever the
 * job tells of other events is the same for every expression; see ADR 18.
 */
import type { Gate } from './gate.ts'
import type { ClaimedJob, FoundSample, Reached, Turn } from './job-claim.ts'
import { type Draft, lookAt } from './look.ts'
import type { Pace } from './pace.ts'
import { silenceOf } from './silence.ts'
import type { StoredEvent } from './stored-events.ts'
import { add } from './take-in.ts'
import type { Tally } from './tally.ts'

export interface TurnNeeds {
  readonly next: (reached: Reached) => Promise<readonly StoredEvent[]>
  readonly gate: Gate
  readonly pace: Pace
  readonly now: () => number
  readonly stopping: AbortSignal
}

export interface TurnOptions {
  readonly turnMs: number
  /** Questions to Policy at once. */
  readonly atOnce: number
  /** That one backtest may ask. */
  readonly questions: number
  /** The first wait while Policy is silent. */
  readonly silenceMs: number
}

/** How far a turn has come. */
export interface SoFar {
  readonly tally: Tally
  readonly reached: Reached
  readonly samples: readonly FoundSample[]
}

type End = Omit<Turn, keyof SoFar>

const GOES_ON: End = {
  ...{ state: 'running', reason: undefined, complete: false, waiting: undefined, againInMs: 0 },
}
const DONE: End = { ...GOES_ON, state: 'done', complete: true }

export async function takeTurn(
  needs: TurnNeeds,
  options: TurnOptions,
  job: ClaimedJob,
  draft: Draft,
): Promise<Turn> {
  const until = needs.now() + options.turnMs
  let soFar: SoFar = { tally: job.tally, reached: job.reached, samples: [] }
  const timeIsUp = () => needs.stopping.aborted || needs.now() >= until
  do {
    const batch = await needs.next(soFar.reached)
    if (batch.length === 0) return { ...soFar, ...DONE }
    for (const events of chunks(batch, options.atOnce)) {
      const { end, ...came } = await lookFurther(needs, options, { job, draft, soFar, events })
      soFar = came
      if (end !== undefined) return { ...soFar, ...end }
      await needs.pace.breathe()
      if (timeIsUp()) break
    }
  } while (!timeIsUp())
  return { ...soFar, ...GOES_ON }
}

interface Further {
  readonly job: ClaimedJob
  readonly draft: Draft
  readonly soFar: SoFar
  readonly events: readonly StoredEvent[]
}

/** A few events at once; `end`: why the turn goes no further. */
async function lookFurther(
  { gate, stopping }: TurnNeeds,
  options: TurnOptions,
  { job, draft, soFar, events }: Further,
): Promise<SoFar & { readonly end?: End }> {
  const left = options.questions - soFar.tally.asked
  const looked = await lookAt({ gate }, { job, draft, mostQuestions: left }, events)
  if (stopping.aborted) return { ...soFar, end: GOES_ON } // a silence may have been ours
  if (looked === undefined) return { ...soFar, end: { ...DONE, ...outOfQuestions(options) } }
  const verdicts = looked.flatMap(({ seen }) => (seen.verdict === undefined ? [] : [seen.verdict]))
  const silence = silenceOf(soFar.tally, verdicts, options.silenceMs)
  if (silence?.kind === 'wait') {
    const { waiting, againInMs } = silence
    const asked = soFar.tally.asked + verdicts.filter(({ fresh }) => fresh).length
    const tally = { ...soFar.tally, asked, silences: soFar.tally.silences + 1 }
    return { ...soFar, tally, end: { ...GOES_ON, waiting, againInMs } }
  }
  const further = add(soFar, looked, { job, draft })
  if (silence?.kind !== 'give up') return further
  return { ...further, end: { ...GOES_ON, state: 'failed', reason: silence.reason } }
}

function outOfQuestions({ questions }: TurnOptions): Pick<End, 'complete' | 'reason'> {
  const reason =
    `Policy was asked as often as one backtest may ask, ${questions} times: it ended at the time in progress.reached, and ` +
    'another one with that as its until goes on'
  return { complete: false, reason }
}

function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += size) yield items.slice(at, at + size)
}
