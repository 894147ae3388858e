/** A few events to a thousand subscriptions of which ten match each: how long until the last delivery has come. */
import { medianOf } from '../figures.ts'
import { usedOf } from '../pipeline/figures.ts'
import { eventFor, expressionFor } from '../pipeline/load.ts'
import { type Load, ours, type Ran, run } from '../pipeline/run.ts'
import { withSite } from '../pipeline/with-site.ts'
import type { Row } from '../row.ts'

const [EVENTS, SUBSCRIPTIONS, MATCHING] = [20, 1_000, 10]
const GOAL_SECONDS = 0.5

export const row: Row = {
  name: 'burst',
  what: `${EVENTS} events × ${SUBSCRIPTIONS} subscriptions, ${MATCHING} match`,
  run: ({ rounds, print }) =>
    withSite(async (needs) => {
      const runs: Ran[] = []
      for (let round = 1; round <= rounds; round += 1) {
        const ran = await run(needs, ours, load())
        runs.push(ran)
        print(`round ${round}: ${ran.seconds.toFixed(3)} s, ${usedOf([ran])}`)
      }
      const seconds = runs.map((ran) => ran.seconds)
      return [
        {
          what: `from the first POST to the last of ${EVENTS * MATCHING} deliveries`,
          unit: 's',
          ours: seconds,
          goal: { text: `< ${GOAL_SECONDS} s`, reached: medianOf(seconds) < GOAL_SECONDS },
          note: `of a processor for each delivery: ${usedOf(runs)}`,
        },
      ]
    }),
}

function load(): Load {
  // Of a type that nobody else's expression names.
  const bursts = (count: number) =>
    Array.from({ length: count * EVENTS }, () => eventFor(SUBSCRIPTIONS))
  const expressionOf = (place: number) => expressionFor(place < MATCHING ? SUBSCRIPTIONS : place)
  return {
    ...{ subscriptions: SUBSCRIPTIONS, expressionOf, matching: MATCHING },
    ...{ warming: bursts(3), events: bursts(1) },
  }
}
