import { createMetrics } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { backlogGauges, pipelineMetrics } from './metrics.ts'

test('attempts are counted by the class of the answer; what was never sent is none', async () => {
  const metrics = createMetrics()
  const { attempted } = pipelineMetrics(metrics)
  const reason = 'because'
  attempted({ kind: 'accepted', status: 204, body: '' }, 5)
  attempted({ kind: 'accepted', status: null, body: null }, 5)
  attempted({ kind: 'refused', status: 302, body: '', reason }, 5)
  attempted({ kind: 'gone', status: 410, body: '', reason }, 5)
  attempted({ kind: 'unreachable', reason }, 5)
  attempted({ kind: 'impossible', reason }, 5)
  attempted({ kind: 'unsent' }, 5)
  const text = await metrics.text()
  for (const status of ['2xx', '3xx', '4xx', 'dispatched', 'none'])
    expect(text).toContain(`pacifica_delivery_attempts_total{status="${status}"} 1\n`)
  expect(text).toContain('pacifica_stage_seconds_count{stage="attempt"} 5\n')
})

test('while the database is away its gauges are absent, and all others are there', async () => {
  const metrics = createMetrics()
  pipelineMetrics(metrics).matched(2, 10)
  backlogGauges({ metrics, sql: { query: () => Promise.reject(new Error('away')) } })
  const text = await metrics.text()
  expect(text).toContain('pacifica_matches_total 2\n')
  expect(text).not.toMatch(/^pacifica_oldest_due_seconds\{/m)
})
