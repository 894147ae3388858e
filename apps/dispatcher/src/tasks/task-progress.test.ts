import { expect, test } from 'vitest'
import { createProgressReport, type ReportedProgress, transferProgress } from './task-progress.ts'

const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('of much that a run tells, the newest is written', async () => {
  const written: ReportedProgress[] = []
  const report = createProgressReport(async (progress) => void written.push(progress), 20)
  for (let done = 0; done <= 1_000; done += 1) report.tell({ step: 'counting', done })
  await until(() => written.length === 1)
  expect(written).toEqual([{ step: 'counting', done: 1_000 }])
  await report.close()
})

test('nothing is written once the run is over, and what cannot be written is forgotten', async () => {
  const tries: ReportedProgress[] = []
  const failing = createProgressReport(async (progress) => {
    tries.push(progress)
    throw new Error('the database is away')
  }, 1)
  failing.tell({ step: 'one' })
  await until(() => tries.length === 1)
  failing.tell({ step: 'two' })
  await until(() => tries.length === 2)
  const report = createProgressReport(async (progress) => void tries.push(progress), 60_000)
  report.tell({ step: 'three' })
  await report.close()
  await failing.close()
  expect(tries.map(({ step }) => step)).toEqual(['one', 'two'])
})

test('a transfer shows what it waits for beside its bytes, until they move again', () => {
  const told: ReportedProgress[] = []
  const { heard, moved } = transferProgress('download', (progress) => void told.push(progress))
  heard('staging: 3 of 5 files')
  moved({ bytes: 10, total: 20 })
  heard('x'.repeat(1_000))
  moved({ bytes: 20, total: 20 })
  const bytes = { step: 'download', done: 10, total: 20, unit: 'bytes' }
  expect(told).toEqual([
    { step: 'download', said: 'staging: 3 of 5 files' },
    bytes,
    { ...bytes, said: 'x'.repeat(200) },
    { ...bytes, done: 20 },
  ])
})
