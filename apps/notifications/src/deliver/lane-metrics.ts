/** What is in flight, and which lanes wait for which cap: read from the database when somebody asks. */
import type { Metrics, Sql } from '@pacifica/platform'
import { orAbsent } from '../metrics.ts'
import type { Caps } from './caps.ts'
import { blockOf, type Crowd, crowds } from './waiting.ts'

/** Beyond this a gauge only says "at least so many". */
const MOST_COUNTED = 10_000

const AWAKE = crowds(`next_due <= now() LIMIT ${MOST_COUNTED}`)

const IN_FLIGHT = `SELECT count(*)::int AS n FROM delivery WHERE state = 'delivering' AND due > now()`

const SLOWED = `
  SELECT count(*)::int AS n FROM (SELECT FROM lane WHERE ramp IS NOT NULL LIMIT ${MOST_COUNTED}) AS slowed`

export function laneGauges(needs: { metrics: Metrics; sql: Sql }, caps: Caps): void {
  const { metrics, sql } = needs
  metrics.gauge({
    name: 'pacifica_deliveries_in_flight',
    help: 'Requests to targets that are under way, of all processes: leases that are alive',
    collect: orAbsent(async (gauge) => {
      gauge.set((await sql.query<{ n: number }>(IN_FLIGHT))[0]?.n ?? 0)
    }),
  })
  metrics.gauge({
    name: 'pacifica_lanes_due',
    help: `Subscriptions with deliveries that are due, by what they wait for: turn, or a cap (subscription, slow_start, host, owner); at most ${MOST_COUNTED} are counted`,
    labels: ['waits_for'],
    collect: orAbsent(async (gauge) => {
      const counts = { turn: 0, subscription: 0, slow_start: 0, host: 0, owner: 0 }
      for (const crowd of await sql.query<Crowd>(AWAKE)) counts[blockOf(crowd, caps) ?? 'turn'] += 1
      for (const [waits_for, count] of Object.entries(counts)) gauge.set({ waits_for }, count)
    }),
  })
  metrics.gauge({
    name: 'pacifica_lanes_slowed',
    help: `Subscriptions whose target has failed and gets fewer requests at a time; at most ${MOST_COUNTED} are counted`,
    collect: orAbsent(async (gauge) => {
      gauge.set((await sql.query<{ n: number }>(SLOWED))[0]?.n ?? 0)
    }),
  })
}
