/** Shapes a backtest into what the API says of it. */
import { unindexedPart } from '@pacifica/jsonpath'
import { iso } from '../history/delivery-view.ts'
import { compileSubscription } from '../subscriptions/subscription.ts'
import { bucketOf } from './buckets.ts'
import type { Found } from './evaluate.ts'
import type { Job, Sample } from './job-store.ts'
import type { SampleKind, Tally } from './tally.ts'
import type { BacktestReply, BacktestSummary } from './view-schema.ts'

export function summaryView(job: Job): BacktestSummary {
  const { tally } = job
  return {
    uuid: job.uuid,
    asked_by: job.askedBy,
    name: job.name,
    jsonpath: job.jsonpath,
    dialect: job.dialect,
    version: job.version,
    since: job.since.toISOString(),
    until: job.until.toISOString(),
    state: job.state,
    reason: job.reason,
    complete: job.complete,
    waiting: job.waiting,
    progress: { looked_at: tally.looked, total: job.total, reached: iso(job.reached) },
    matched: tally.matched,
    unreadable: tally.unreadable,
    histogram: { by: bucketOf(job), counts: countsOf(tally) },
    cost: costOf(job),
    policy: policyOf(job),
    created: job.created.toISOString(),
    started: iso(job.started),
    updated: job.updated.toISOString(),
    finished: iso(job.finished),
  }
}

export function jobView(job: Job, samples: readonly Sample[]): BacktestReply {
  const ids = (kind: SampleKind) =>
    samples.filter((sample) => sample.kind === kind).map(({ event }) => event)
  return {
    ...summaryView(job),
    samples: samples.filter(({ kind }) => kind === 'matched').map(sampleView),
    other_samples: {
      over_budget: ids('over_budget'),
      denied: ids('denied'),
      unknown: ids('unknown'),
    },
  }
}

function countsOf({ buckets }: Tally): BacktestSummary['histogram']['counts'] {
  return Object.entries(buckets)
    .map(([from, matched]) => ({ from, matched }))
    .sort((a, b) => (a.from < b.from ? -1 : 1))
}

function costOf({ jsonpath, dialect, tally }: Job): BacktestSummary['cost'] {
  const ended = tally.evaluated - tally.overBudget
  const steps = {
    evaluated: tally.evaluated,
    mean_steps: ended === 0 ? null : Math.round((tally.steps / ended) * 10) / 10,
    max_steps: ended === 0 ? null : tally.mostSteps,
    over_budget: tally.overBudget,
  }
  try {
    const { path, warnings } = compileSubscription(jsonpath, dialect)
    const part = unindexedPart(path, dialect)
    return {
      class: part === undefined ? 'indexed' : 'every_event',
      part: part === undefined ? null : { text: part.text, offset: part.offset },
      ...steps,
      warnings: warnings.map(({ code, message, offset }) => ({ code, message, offset })),
    }
  } catch {
    // An expression of before that this version refuses: the job's reason says so.
    return { class: 'every_event', part: null, ...steps, warnings: [] }
  }
}

function policyOf({ owner, seesAll, tally }: Job): BacktestSummary['policy'] {
  const reasons = Object.entries(tally.reasons).map(([reason, count]) => ({ reason, count }))
  return {
    user: owner,
    of: seesAll ? 'matches' : 'events',
    allowed: tally.allowed,
    denied: tally.denied,
    unknown: tally.unknown,
    asked: tally.asked,
    reasons: reasons.sort((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
  }
}

const NOTHING: Found = { count: 0, values: [], truncated: true, error: null }

function sampleView(sample: Sample): BacktestReply['samples'][number] {
  const { event, received, type, source, id, time, policy } = sample
  const found = sample.found === null ? NOTHING : (JSON.parse(sample.found) as Found)
  return {
    ...{ event, received: received.toISOString(), type, source, id, time },
    ...{ ...found, values: [...found.values] },
    policy,
  }
}
