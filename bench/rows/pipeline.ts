/**
 * Accept → policy → delivered: events posted to POST /receive until the last one has come to its target, with Policy and
 * targets over HTTP; beside the floor made of its parts (floors/pipeline.ts).
 */
import { medianOf } from '../figures.ts'
import { usedOf } from '../pipeline/figures.ts'
import { fill } from '../pipeline/fill.ts'
import { eventFor, expressionFor } from '../pipeline/load.ts'
import { floor, type Load, ours, type Ran, type RunNeeds, run } from '../pipeline/run.ts'
import { withSite } from '../pipeline/with-site.ts'
import type { Measured, Row, RowOptions } from '../row.ts'

const GOAL = { share: 0.5, perSecond: 1_500 }

interface Case {
  readonly subscriptions: number
  /** Default: 32. More than that the service cannot keep up with: they offer more than goes. */
  readonly senders?: number
}

const CASES: readonly Case[] = [
  ...[1, 100, 1_000].map((subscriptions) => ({ subscriptions })),
  { subscriptions: 100, senders: 128 },
]

export const row: Row = {
  name: 'pipeline',
  what: 'accept → policy → delivered',
  run: (options) =>
    withSite(async (needs) => {
      const measured: Measured[] = []
      for (const each of CASES) measured.push(await measure(needs, options, each))
      return measured
    }),
}

function loadOf({ site }: RunNeeds, { subscriptions, senders }: Case, count: number): Load {
  const events = (length: number) => Array.from({ length }, (_, n) => eventFor(n % subscriptions))
  return {
    ...{ subscriptions, expressionOf: expressionFor, matching: 1 },
    ...(senders !== undefined && { senders }),
    // V8 compiles what runs often, for as long as that takes it.
    ...{ warming: events(count), events: events(count) },
    // A service that has worked before: over tables that were empty when PostgreSQL last counted them its plans are others.
    prepare: (database) => fill(database, site.port, { backlog: 'delivered', ofTarget: 2 * count }),
  }
}

async function measure(
  needs: RunNeeds,
  { rounds, quick, print }: RowOptions,
  which: Case,
): Promise<Measured> {
  const load = loadOf(needs, which, quick ? 200 : 10_000)
  const [mine, peers]: [Ran[], Ran[]] = [[], []]
  const one = async (round: number, who: string) => {
    const ran = await run(needs, who === 'ours' ? ours : floor, load)
    const runs = who === 'ours' ? mine : peers
    runs.push(ran)
    const figures = `${Math.round(load.events.length / ran.seconds)}/s, ${usedOf([ran])}`
    print(`${nameOf(which)}, round ${round}: ${who} ${figures}`)
  }
  for (let round = 1; round <= rounds; round += 1) {
    // In turn: whatever warms up or fills up favours neither.
    for (const who of round % 2 === 0 ? ['floor', 'ours'] : ['ours', 'floor']) await one(round, who)
  }
  return told(nameOf(which), load.events.length, mine, peers)
}

function nameOf({ subscriptions, senders }: Case): string {
  const name = `${subscriptions} subscription${subscriptions === 1 ? '' : 's'}, each event for one`
  return senders === undefined ? name : `${name}, ${senders} senders`
}

function told(what: string, count: number, mine: Ran[], peers: Ran[]): Measured {
  const perSecond = (runs: Ran[]) => runs.map(({ seconds }) => count / seconds)
  const [rate, bare] = [medianOf(perSecond(mine)), medianOf(perSecond(peers))]
  const share = Math.round((rate / bare) * 100)
  return {
    what,
    unit: 'events/s',
    ours: perSecond(mine),
    peer: { name: 'floor made of its parts', figures: perSecond(peers) },
    goal: {
      text: `≥ ${GOAL.share * 100} % of the floor; ≥ ${GOAL.perSecond}/s`,
      reached: rate >= GOAL.share * bare && rate >= GOAL.perSecond,
    },
    note: `${share} % of the floor; of a processor each: ${usedOf(mine)} (floor: ${usedOf(peers)})`,
  }
}
