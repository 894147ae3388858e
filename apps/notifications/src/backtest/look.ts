/** A few events looked at: who may see them first, the expression then; for an admin the other way round. */
import { beginOf, bucketOf } from './buckets.ts'
import { type Draft, evaluate } from './evaluate.ts'
import { type Gate, NOT_ASKED, type Verdict } from './gate.ts'
import type { ClaimedJob } from './job-claim.ts'
import type { StoredEvent } from './stored-events.ts'
import type { Evaluated, Seen } from './tally.ts'

export type { Draft }

export interface Looked {
  readonly event: StoredEvent
  readonly seen: Seen
}

export interface LookOptions {
  readonly job: Pick<ClaimedJob, 'owner' | 'seesAll' | 'policy' | 'since' | 'until'>
  readonly draft: Draft
  readonly mostQuestions: number
}

/** Undefined when Policy would have to be asked more often than it may. */
export async function lookAt(
  needs: { gate: Gate },
  options: LookOptions,
  all: readonly StoredEvent[],
): Promise<Looked[] | undefined> {
  const { job, draft } = options
  const events = all.filter(({ test }) => !test)
  const evaluated = new Map<StoredEvent, Evaluated>()
  const run = (some: readonly StoredEvent[]) => {
    for (const event of some) evaluated.set(event, evaluate(draft, event.jsondata))
  }
  if (job.seesAll) run(events)
  const open = job.seesAll ? matchesOf(job, events, evaluated) : events
  const verdicts = await verdictsOn(needs.gate, options, open)
  if (verdicts === undefined) return undefined
  if (!job.seesAll) run(events.filter((event) => verdicts.get(event)?.kind === 'allowed'))
  const bucket = bucketOf(job)
  return all.map((event) => ({
    event,
    seen: {
      bucket: beginOf(event.created, bucket),
      verdict: verdicts.get(event),
      evaluated: evaluated.get(event),
    },
  }))
}

/** An admin is told of Policy what would become of the matches. */
function matchesOf(
  { policy }: LookOptions['job'],
  events: readonly StoredEvent[],
  evaluated: ReadonlyMap<StoredEvent, Evaluated>,
): StoredEvent[] {
  return policy ? events.filter((event) => evaluated.get(event)?.kind === 'matched') : []
}

async function verdictsOn(
  gate: Gate,
  { job, mostQuestions }: LookOptions,
  events: readonly StoredEvent[],
): Promise<Map<StoredEvent, Verdict> | undefined> {
  const verdicts = new Map<StoredEvent, Verdict>()
  const questions: StoredEvent[] = []
  for (const event of events) {
    const known = gate.known(job.owner, event) ?? (job.policy ? undefined : NOT_ASKED)
    if (known === undefined) questions.push(event)
    else verdicts.set(event, known)
  }
  if (questions.length > mostQuestions) return undefined
  const ask = async (event: StoredEvent) => verdicts.set(event, await gate.ask(job.owner, event))
  await Promise.all(questions.map(ask))
  return verdicts
}
