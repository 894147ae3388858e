/** What backtests count, and how many there are. */
import type { Metrics, Sql } from '@pacifica/platform'
import { orAbsent } from '../metrics.ts'

export interface BacktestMetrics {
  looked(events: number): void
  asked(questions: number): void
  ended(state: 'done' | 'failed'): void
}

export function backtestMetrics(metrics: Metrics): BacktestMetrics {
  const events = metrics.counter({
    name: 'pacifica_backtest_events_total',
    help: 'Stored events that backtests have looked at',
  })
  const questions = metrics.counter({
    name: 'pacifica_backtest_policy_questions_total',
    help: 'Questions to Policy for backtests',
  })
  const jobs = metrics.counter({
    name: 'pacifica_backtests_total',
    help: 'Backtests that ended: done, or failed',
    labels: ['state'],
  })
  return {
    looked: (count) => events.inc(count),
    asked: (count) => questions.inc(count),
    ended: (state) => jobs.inc({ state }),
  }
}

const OPEN = `
  SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'running') AS running
  FROM backtest_job WHERE state IN ('waiting', 'running')`

export function backtestGauge({ metrics, sql }: { metrics: Metrics; sql: Sql }): void {
  metrics.gauge({
    name: 'pacifica_backtests_open',
    help: 'Backtests that have not ended: waiting or running',
    labels: ['state'],
    collect: orAbsent(async (gauge) => {
      const [open = {}] = await sql.query<Record<string, number>>(OPEN)
      for (const [state, count] of Object.entries(open)) gauge.set({ state }, count)
    }),
  })
}
