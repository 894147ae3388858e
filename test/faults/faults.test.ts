/**
 * The short form of the fault suite: each fault once. FAULT_SEED repeats a run; the long form is `npm run faults`,
 * see docs/guides/fault-suite.md.
 */
import { expect, test } from 'vitest'
import { readOptions } from './options.ts'
import { reportOf } from './report.ts'
import { runFaults } from './run.ts'

const { FAULT_SEED } = process.env

test('whatever is killed or restarted, each event that got its 200 is delivered, denied or waiting for every subscription that matches', async () => {
  const seed = FAULT_SEED ? ['--seed', FAULT_SEED] : []
  const options = readOptions(['--events', '300', '--rate', '20', ...seed])
  console.log(`faults: FAULT_SEED=${options.seed}`)
  const run = await runFaults(options, (line) => console.log(`faults: ${line}`))
  console.log(reportOf(run))
  expect(run.wrong).toEqual([])
  expect(run.ledger.repeats).toBeLessThanOrEqual(run.ledger.inFlight)
}, 600_000)
