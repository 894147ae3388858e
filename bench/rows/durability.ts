/**
 * The fault suite in short (docs/guides/fault-suite.md): events flow while services are killed and the database, the
 * broker and policy go away. Once, whatever the rounds: it takes a minute. `npm run faults` runs it at any length.
 */

import { readOptions } from '../../test/faults/options.ts'
import { reportOf } from '../../test/faults/report.ts'
import { type Run, runFaults } from '../../test/faults/run.ts'
import { numberText } from '../figures.ts'
import type { Measured, Row } from '../row.ts'

export const row: Row = {
  name: 'durability',
  what: 'kill -9 of any process, restart of broker or database, at any moment',
  async run({ quick, print }) {
    const events = quick ? '50' : '600'
    const run = await runFaults(readOptions(['--events', events, '--rate', '20']), print)
    if (run.wrong.length > 0) print(`the ledger does not balance:\n${reportOf(run)}`)
    return [lost(run), repeated(run)]
  },
}

function lost({ ledger, posted, struck, wrong, options, seconds }: Run): Measured {
  const struckTimes = [...struck.counts.values()].reduce((sum, count) => sum + count, 0)
  const answered = posted.filter(({ status }) => status === 200).length
  return {
    what: `wrong in the ledger of ${numberText(answered)} events with a 200 and their ${numberText(ledger.expected)} deliveries`,
    unit: 'entries',
    ours: [wrong.length],
    goal: { text: 'nothing accepted is lost: 0', reached: wrong.length === 0 },
    note: `${struckTimes} kills and outages, seed ${options.seed}, ${Math.round(seconds.all)} s`,
  }
}

function repeated({ ledger }: Run): Measured {
  return {
    what: 'requests made again, each with the same webhook-id',
    unit: 'requests',
    ours: [ledger.repeats],
    peer: { name: 'in flight when it struck', figures: [ledger.inFlight] },
    goal: { text: '≤ in flight', reached: ledger.repeats <= ledger.inFlight },
  }
}
