/** Adds what was looked at to what a turn has come to. Pure. */
import { type Draft, foundIn, MOST_SIZE_IN_ALL } from './evaluate.ts'
import type { Verdict } from './gate.ts'
import type { ClaimedJob, FoundSample } from './job-claim.ts'
import type { Looked } from './look.ts'
import { count, type SampleKind, type Seen, type Tally } from './tally.ts'
import type { SoFar } from './turn.ts'

interface About {
  readonly job: Pick<ClaimedJob, 'seesAll' | 'samples'>
  readonly draft: Draft
}

export function add(soFar: SoFar, looked: readonly Looked[], about: About): SoFar {
  let tally: Tally = { ...soFar.tally, silences: 0 }
  const samples = [...soFar.samples]
  for (const { event, seen } of looked) {
    tally = count(tally, about.job.seesAll ? told(seen) : seen)
    for (const kind of kindsOf(seen, about.job)) {
      if (tally.sampled[kind] >= about.job.samples) continue
      const found = kind === 'matched' ? partsOf(about.draft, event.jsondata, tally) : null
      samples.push({
        ...{ kind, event: event.uuid, place: tally.looked, found },
        policy: seen.verdict?.kind ?? null,
      })
      const sampled = { ...tally.sampled, [kind]: tally.sampled[kind] + 1 }
      tally = { ...tally, sampled, sampledSize: tally.sampledSize + (found?.length ?? 0) }
    }
  }
  const last = looked.at(-1)?.event
  const reached = last ? { created: last.createdText, event: last.uuid } : soFar.reached
  return { tally, reached, samples }
}

/** What Policy wrote may tell of the event: admins read it. */
function told(seen: Seen): Seen {
  const { verdict } = seen
  if (verdict === undefined || verdict.said === '' || verdict.kind === 'allowed') return seen
  const said: Verdict = { ...verdict, reason: `${verdict.reason}: ${verdict.said}` }
  return { ...seen, verdict: said }
}

/** Of an event that its owner may not see not even the id is shown, but to an admin. */
function kindsOf({ verdict, evaluated }: Seen, { seesAll }: About['job']): SampleKind[] {
  const kinds: SampleKind[] = []
  if (evaluated?.kind === 'matched' || evaluated?.kind === 'over_budget') kinds.push(evaluated.kind)
  if (seesAll && (verdict?.kind === 'denied' || verdict?.kind === 'unknown'))
    kinds.push(verdict.kind)
  return kinds
}

function partsOf(draft: Draft, text: string, tally: Tally): FoundSample['found'] {
  return JSON.stringify(foundIn(draft, text, MOST_SIZE_IN_ALL - tally.sampledSize))
}
