/**
 * Events matched, allowed and delivered per second, to 1 and to 1 000 subscriptions, on a private PostgreSQL that syncs:
 * `node test/harness/run-typescript.mjs bench/deliveries.ts [events]`, after a build. Prints; proves nothing by itself.
 */
import { startPostgres } from '../test/harness/index.ts'
import { run, startTarget } from './delivery-run.ts'

const events = Number(process.argv[3] ?? 10_000)
const postgres = await startPostgres({ durable: true })
const target = await startTarget()
await run(postgres, target, { subscriptions: 10, events: 500 })
for (const subscriptions of [1, 1_000])
  for (const round of [1, 2, 3]) {
    const rate = await run(postgres, target, { subscriptions, events })
    const cpu = `${rate.serviceMs.toFixed(2)} + ${rate.databaseMs.toFixed(2)} ms of a processor each`
    console.log(
      `${subscriptions} subscriptions, round ${round}: ${Math.round(rate.perSecond)} deliveries/s, ${cpu}`,
    )
  }
target.close()
await postgres.stop()
