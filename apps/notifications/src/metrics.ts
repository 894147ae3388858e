/**
 * What the pipeline counts and times, by name, for match, authorize and deliver. Counters are this process's; the
 * gauges of `backlogGauges` are of the database, read when somebody asks, each from an index.
 */
import type { Gauge, Metrics, Sql } from '@pacifica/platform'
import type { DeliveryState, Outcome } from './deliver/delivery.ts'
import { IS_FIRST, IS_RETRY } from './deliver/due.ts'

export interface PipelineMetrics {
  /** `ms` since the event was accepted. */
  matched(matches: number, ms: number): void
  unmatchable(): void
  expressionFailed(): void
  policyAnswered(kind: 'allowed' | 'denied' | 'unanswered'): void
  /** The first answer to a question, since its event was matched. */
  authorized(ms: number): void
  /** What became of a delivery: of those that end, and of those that have to wait. */
  settled(state: DeliveryState, count?: number): void
  attempted(outcome: Outcome, ms: number): void
  /** How long after it was due a delivery was begun. */
  claimedLate(ms: number): void
}

const SECONDS = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 3_600]

export function pipelineMetrics(metrics: Metrics): PipelineMetrics {
  const events = metrics.counter({
    name: 'pacifica_events_matched_total',
    help: 'Events that were matched: some (a subscription wants it), none, or unmatchable',
    labels: ['result'],
  })
  const matches = metrics.counter({
    name: 'pacifica_matches_total',
    help: 'Pairs of an event and a subscription that wants it',
  })
  const expressions = metrics.counter({
    name: 'pacifica_expression_failures_total',
    help: 'Expressions that could not be evaluated on an event',
  })
  const policy = metrics.counter({
    name: 'pacifica_policy_answers_total',
    help: 'Answers of Policy: allowed, denied, or unanswered (no answer that says yes or no)',
    labels: ['answer'],
  })
  const deliveries = metrics.counter({
    name: 'pacifica_deliveries_total',
    help: 'Deliveries by the state they went into',
    labels: ['state'],
  })
  const attempts = metrics.counter({
    name: 'pacifica_delivery_attempts_total',
    help: 'Requests to targets, by the class of the answer: 2xx, 3xx, 4xx, 5xx, dispatched, or none',
    labels: ['status'],
  })
  const stage = metrics.histogram({
    name: 'pacifica_stage_seconds',
    help: 'accepted_to_matched, matched_to_answered (by Policy), due_to_begun, attempt',
    labels: ['stage'],
    buckets: SECONDS,
  })
  const time = (name: string, ms: number) => stage.observe({ stage: name }, Math.max(0, ms) / 1_000)
  return {
    matched(count, ms) {
      events.inc({ result: count > 0 ? 'some' : 'none' })
      matches.inc(count)
      time('accepted_to_matched', ms)
    },
    unmatchable: () => events.inc({ result: 'unmatchable' }),
    expressionFailed: () => expressions.inc(),
    policyAnswered: (kind) => policy.inc({ answer: kind }),
    authorized: (ms) => time('matched_to_answered', ms),
    settled: (state, count = 1) => deliveries.inc({ state }, count),
    attempted(outcome, ms) {
      const status = statusClass(outcome)
      if (status === undefined) return
      attempts.inc({ status })
      time('attempt', ms)
    },
    claimedLate: (ms) => time('due_to_begun', ms),
  }
}

/** Undefined when nothing was sent. */
function statusClass(outcome: Outcome): string | undefined {
  switch (outcome.kind) {
    case 'accepted':
      return outcome.status === null ? 'dispatched' : `${Math.floor(outcome.status / 100)}xx`
    case 'refused':
    case 'gone':
      return `${Math.floor(outcome.status / 100)}xx`
    case 'unreachable':
      return 'none'
    case 'impossible':
    case 'away':
    case 'unsent':
      return undefined
  }
}

/** Beyond this a gauge only says "at least so many": counting must cost nothing. */
const MOST_COUNTED = 10_000

const oldest = (kind: string) => `
  (SELECT d.due FROM delivery d WHERE d.subscription = l.subscription AND ${kind} AND d.due <= now()
   ORDER BY d.due LIMIT 1)`

const AGES = `
  SELECT
    (SELECT extract(epoch FROM now() - min(due))::float8 FROM event_state WHERE state = 'new') AS event,
    (SELECT extract(epoch FROM now() - min(due))::float8 FROM policy_answer WHERE due IS NOT NULL) AS question,
    (SELECT extract(epoch FROM now() - min(w.due))::float8
     FROM (SELECT subscription FROM lane WHERE next_due <= now() LIMIT ${MOST_COUNTED}) l
     CROSS JOIN LATERAL (SELECT least(${oldest(IS_FIRST)}, ${oldest(IS_RETRY)}) AS due) w) AS delivery`

const WAITING = `
  SELECT state, count(*) AS count
  FROM (SELECT state FROM delivery WHERE due IS NOT NULL LIMIT ${MOST_COUNTED}) AS waiting GROUP BY state`

const QUESTIONS = `
  SELECT count(*) AS count
  FROM (SELECT FROM policy_answer WHERE due IS NOT NULL LIMIT ${MOST_COUNTED}) AS waiting`

/** The age of the oldest of what is due, and how much waits in which state. While the database is away they are absent. */
export function backlogGauges(needs: { metrics: Metrics; sql: Sql }): void {
  needs.metrics.gauge({
    name: 'pacifica_oldest_due_seconds',
    help: 'How long the oldest event to match, question to Policy or delivery has been due; 0: nothing is late',
    labels: ['what'],
    collect: orAbsent(async (gauge) => {
      const [ages = {}] = await needs.sql.query<Record<string, number | null>>(AGES)
      for (const [what, age] of Object.entries(ages)) gauge.set({ what }, Math.max(0, age ?? 0))
    }),
  })
  needs.metrics.gauge({
    name: 'pacifica_deliveries_waiting',
    help: `Deliveries that are not settled, by state; at most ${MOST_COUNTED} are counted`,
    labels: ['state'],
    collect: orAbsent(async (gauge) => {
      const rows = await needs.sql.query<{ state: string; count: number }>(WAITING)
      for (const { state, count } of rows) gauge.set({ state }, count)
    }),
  })
  needs.metrics.gauge({
    name: 'pacifica_policy_questions_waiting',
    help: `Questions that Policy has not answered; at most ${MOST_COUNTED} are counted`,
    collect: orAbsent(async (gauge) => {
      const [row] = await needs.sql.query<{ count: number }>(QUESTIONS)
      gauge.set(row?.count ?? 0)
    }),
  })
}

/** A gauge that cannot be read must not cost the reader all the others. */
export function orAbsent<L extends string>(
  collect: (gauge: Gauge<L>) => Promise<void>,
): (gauge: Gauge<L>) => Promise<void> {
  return async (gauge) => {
    gauge.reset()
    try {
      await collect(gauge)
    } catch {
      gauge.reset()
    }
  }
}
