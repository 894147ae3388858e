import { expect, test } from 'vitest'
import { createMetrics } from './metrics.ts'

test('counters, gauges and histograms are printed in the Prometheus text format', async () => {
  const metrics = createMetrics()
  const accepted = metrics.counter({ name: 'events_total', help: 'events', labels: ['result'] })
  accepted.inc({ result: 'stored' })
  accepted.inc({ result: 'stored' })
  metrics.gauge({ name: 'waiting', help: 'waiting' }).set(7)
  metrics.histogram({ name: 'seconds', help: 'time', buckets: [0.1, 1] }).observe(0.5)
  const text = await metrics.text()
  expect(text).toContain('events_total{result="stored"} 2')
  expect(text).toContain('waiting 7')
  expect(text).toContain('seconds_bucket{le="1"} 1')
  expect(metrics.contentType).toMatch(/^text\/plain/)
})

test('a collecting gauge is asked when the metrics are read', async () => {
  const metrics = createMetrics()
  let size = 1
  metrics.gauge({ name: 'spool_files', help: 'files', collect: (gauge) => gauge.set(size) })
  size = 5
  expect(await metrics.text()).toContain('spool_files 5')
})

test('two services in one process do not mix their metrics, and one does not declare a name twice', async () => {
  const [one, two] = [createMetrics(), createMetrics()]
  one.counter({ name: 'same_total', help: 'x' }).inc(3)
  two.counter({ name: 'same_total', help: 'x' }).inc(4)
  expect(await one.text()).toContain('same_total 3')
  expect(await two.text()).toContain('same_total 4')
  expect(() => one.counter({ name: 'same_total', help: 'x' })).toThrow(/already/)
})

test('process metrics are there when asked for', async () => {
  expect(await createMetrics({ processMetrics: 'on' }).text()).toContain(
    'process_cpu_seconds_total',
  )
  expect(await createMetrics().text()).not.toContain('process_cpu')
})
