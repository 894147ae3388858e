import { createMetrics } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { silentLog as log } from '../../../../test/harness/index.ts'
import { joinMetrics } from './metrics.ts'

async function shown(backlog: () => Promise<{ open: number; oldest: number; overdue: number }>) {
  const metrics = createMetrics()
  joinMetrics({ metrics, log, backlog })('expired')
  return await metrics.text()
}

test('what waits is counted with one look at the database, and what has ended here', async () => {
  let looks = 0
  const text = await shown(async () => {
    looks += 1
    return { open: 3, oldest: 60, overdue: 5 }
  })
  expect(looks).toBe(1)
  expect(text).toContain('pacifica_dispatcher_joins_open 3\n')
  expect(text).toContain('pacifica_dispatcher_join_oldest_seconds 60\n')
  expect(text).toContain('pacifica_dispatcher_join_overdue_seconds 5\n')
  expect(text).toContain('pacifica_dispatcher_joins_settled_total{state="expired"} 1\n')
})

test('a database that is away takes no other metric with it', async () => {
  const text = await shown(() => Promise.reject(new Error('away')))
  expect(text).toMatch(/^pacifica_dispatcher_joins_open nan$/im)
  expect(text).toContain('pacifica_dispatcher_joins_settled_total{state="expired"} 1\n')
})
