/**
 * What one target that never answers, with 100 000 deliveries due, costs the others: the same load without and with it,
 * in pairs: `node test/harness/run-typescript.mjs bench/hanging-target.ts [pairs] [events]`, after a build.
 */
import { startPostgres } from '../test/harness/index.ts'
import { run, startTarget } from './delivery-run.ts'

const DUE = 100_000
const pairs = Number(process.argv[3] ?? 5)
const events = Number(process.argv[4] ?? 10_000)
const postgres = await startPostgres({ durable: true })
const target = await startTarget()
const load = { subscriptions: 100, events }
await run(postgres, target, { ...load, events: 500 })
const losses: number[] = []
for (let pair = 1; pair <= pairs; pair += 1) {
  // In turn: whatever warms up or fills up favours neither.
  const first = pair % 2 === 0 ? DUE : 0
  const { perSecond: one } = await run(postgres, target, { ...load, hanging: first })
  const { perSecond: other } = await run(postgres, target, { ...load, hanging: DUE - first })
  const [alone, beside] = first === 0 ? [one, other] : [other, one]
  const loss = (1 - beside / alone) * 100
  losses.push(loss)
  const figures = `${Math.round(alone)}/s alone, ${Math.round(beside)}/s beside ${DUE} due to a target that hangs`
  console.log(`pair ${pair}: ${figures}: loss ${loss.toFixed(1)} %`)
}
const median = losses.sort((a, b) => a - b)[Math.floor(losses.length / 2)] ?? Number.NaN
console.log(`median loss ${median.toFixed(1)} %`)
target.close()
await postgres.stop()
