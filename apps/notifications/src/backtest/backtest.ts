/**
 * Backtests: a draft expression tried on the events of a period, in turns of a few seconds at a share of the time. A turn
 * that was not recorded, because its worker died, is taken again from where the job was.
 */
import { type CompiledPath, JsonPathLimitError, JsonPathSyntaxError } from '@pacifica/jsonpath'
import { type Database, type Log, sleep } from '@pacifica/platform'
import { compileSubscription } from '../subscriptions/subscription.ts'
import type { Gate } from './gate.ts'
import {
  type ClaimedJob,
  type ClaimOptions,
  claimJob,
  countTotal,
  recordTurn,
  type Turn,
} from './job-claim.ts'
import { removeOld } from './job-store.ts'
import type { BacktestMetrics } from './metrics.ts'
import { createPace } from './pace.ts'
import { type BatchOptions, nextEvents } from './stored-events.ts'
import { type TurnOptions, takeTurn } from './turn.ts'

export interface BacktestNeeds {
  readonly database: Database
  readonly gate: Gate
  readonly metrics: BacktestMetrics
  readonly log: Log
  readonly now: () => number
  readonly stopping: AbortSignal
}

export interface BacktestOptions extends ClaimOptions, TurnOptions {
  readonly batch: BatchOptions
  /** Of all time, in percent. */
  readonly share: number
  readonly sliceMs: number
  /** How long those that have ended are kept. */
  readonly keepMs: number
}

/** Begun so often without an end, an event of its next turn must be what ends the worker. */
export const MOST_BEGUN = 5

/** One step of the loop: a turn of one job. */
export function backtestStep(
  needs: BacktestNeeds,
  options: BacktestOptions,
): () => Promise<boolean> {
  const tidy = tidying(needs, options)
  return async () => {
    await tidy()
    const job = await claimJob(needs.database, options)
    if (job === undefined) return false
    if (job.total === null) await countTotal(needs.database, job)
    const turn = await turnOf(needs, options, job)
    if (await recordTurn(needs.database, job, turn)) tell(needs, job, turn)
    else needs.log.warn({ backtest: job.uuid, claim: job.claim }, 'backtest.turn_refused')
    return true
  }
}

async function turnOf(
  needs: BacktestNeeds,
  options: BacktestOptions,
  job: ClaimedJob,
): Promise<Turn> {
  if (job.begun > MOST_BEGUN) return failed(job, `it was begun ${MOST_BEGUN} times without an end`)
  const expression = compiled(job)
  if (typeof expression === 'string') return failed(job, expression)
  const { database, gate, now, stopping } = needs
  const rest = (ms: number) => sleep(ms, stopping)
  const pace = createPace({ now, sleep: rest }, options)
  const next = (reached: ClaimedJob['reached']) => nextEvents(database, job, reached, options.batch)
  const draft = { expression, version: job.version }
  return takeTurn({ next, gate, pace, now, stopping }, options, job, draft)
}

/** It could be compiled when it was given; this version of the service may know better. */
function compiled({ jsonpath, dialect }: ClaimedJob): CompiledPath | string {
  try {
    return compileSubscription(jsonpath, dialect)
  } catch (error) {
    if (!(error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError)) throw error
    return `the expression cannot be read: ${error.message}`
  }
}

function failed({ tally, reached }: ClaimedJob, reason: string): Turn {
  return {
    ...{ tally, reached, samples: [], state: 'failed', reason },
    ...{ complete: false, waiting: undefined, againInMs: 0 },
  }
}

function tell({ metrics, log }: BacktestNeeds, job: ClaimedJob, turn: Turn): void {
  const { tally, state, reason, waiting } = turn
  metrics.looked(tally.looked - job.tally.looked)
  metrics.asked(tally.asked - job.tally.asked)
  if (state !== 'running') metrics.ended(state)
  const { looked, matched, asked } = tally
  log.info({ backtest: job.uuid, state, looked, matched, asked, reason, waiting }, 'backtest.turn')
}

const TIDY_EVERY_MS = 10 * 60_000

/** Removes old ones, now and then. */
function tidying(
  { database, log, now }: BacktestNeeds,
  { keepMs }: BacktestOptions,
): () => Promise<void> {
  let last: number | undefined
  return async () => {
    if (last !== undefined && now() - last < TIDY_EVERY_MS) return
    const removed = await removeOld(database, keepMs)
    last = now()
    if (removed > 0) log.info({ removed }, 'backtests.removed')
  }
}
