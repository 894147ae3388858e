/**
 * What one target that never answers, with 100 000 deliveries due, costs the others: the same load beside it and beside as
 * many deliveries that have been made to it, in pairs. So the tables are alike in both: over tables that were empty when
 * PostgreSQL last counted them its plans are others, and slower ones.
 */
import { medianOf } from '../figures.ts'
import { usedOf } from '../pipeline/figures.ts'
import { type Backlog, fill } from '../pipeline/fill.ts'
import { eventFor, expressionFor } from '../pipeline/load.ts'
import { type Load, ours, type Ran, type RunNeeds, run } from '../pipeline/run.ts'
import { withSite } from '../pipeline/with-site.ts'
import type { Measured, Row } from '../row.ts'

const OF_TARGET = 100_000
const SUBSCRIPTIONS = 100
const GOAL_LOSS = 0.1

export const row: Row = {
  name: 'hanging-target',
  what: 'one target hanging with 100 000 due',
  run: ({ rounds, quick, print }) =>
    withSite(async (needs) => {
      const [ofTarget, count] = quick ? [1_000, 200] : [OF_TARGET, 4_000]
      const ran: Record<Backlog, Ran[]> = { due: [], delivered: [] }
      for (let round = 1; round <= rounds; round += 1) {
        // In turn: whatever warms up or fills up favours neither.
        const order: Backlog[] = round % 2 === 0 ? ['due', 'delivered'] : ['delivered', 'due']
        for (const backlog of order) {
          const one = await run(needs, ours, loadBeside(needs, { backlog, ofTarget, count }))
          ran[backlog].push(one)
          print(
            `round ${round}, ${backlog}: ${Math.round(count / one.seconds)}/s, ${usedOf([one])}`,
          )
        }
      }
      return [told(count, ran)]
    }),
}

function told(count: number, ran: Record<Backlog, Ran[]>): Measured {
  const perSecond = (runs: readonly Ran[]) => runs.map(({ seconds }) => count / seconds)
  const [beside, alone] = [perSecond(ran.due), perSecond(ran.delivered)]
  const loss = medianOf(beside.map((rate, round) => 1 - rate / (alone[round] ?? Number.NaN)))
  const used = `${usedOf(ran.due)} (without: ${usedOf(ran.delivered)})`
  return {
    what: `${SUBSCRIPTIONS} other subscriptions, beside it`,
    unit: 'events/s',
    ours: beside,
    peer: { name: 'the same, its deliveries made', figures: alone },
    goal: { text: `others lose < ${GOAL_LOSS * 100} %`, reached: loss < GOAL_LOSS },
    note: `median loss of a pair ${(loss * 100).toFixed(1)} %; of a processor each: ${used}`,
  }
}

function loadBeside(
  { site }: RunNeeds,
  { backlog, ofTarget, count }: { backlog: Backlog; ofTarget: number; count: number },
): Load {
  const events = (length: number) => Array.from({ length }, (_, n) => eventFor(n % SUBSCRIPTIONS))
  return {
    ...{ subscriptions: SUBSCRIPTIONS, expressionOf: expressionFor, matching: 1 },
    ...{ warming: events(count / 10), events: events(count) },
    prepare: (database) => fill(database, site.port, { backlog, ofTarget }),
  }
}
