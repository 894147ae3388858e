/**
 * Events accepted per second: the built service beside the bare floor (`bench/floors/accept.ts`), each with a database of
 * its own on one PostgreSQL that syncs, posted to by wrk in turn. Needs a build.
 */
import { type Accepting, openAcceptSite, type Round, type Site } from '../accept/site.ts'
import { medianOf } from '../figures.ts'
import type { Measured, Row, RowOptions } from '../row.ts'

const FLOOR = 'bare floor: Fastify + a group insert'
const CONNECTIONS = 128

/** The goal is one of accepting alone; the second case shows what is left of it while the same process also matches. */
const CASES = [
  { what: 'role api alone', roles: 'api', subscriptions: 0, goal: true },
  {
    what: 'all roles, 1 000 subscriptions that do not match',
    roles: 'api,match,deliver,intake',
    subscriptions: 1_000,
    goal: false,
  },
] as const

export const row: Row = {
  name: 'accept',
  what: 'accept, durable, 1.5 kB events (wrk)',
  async run(options) {
    const site = await openAcceptSite()
    try {
      const measured: Measured[] = []
      for (const each of CASES) measured.push(...(await measure(site, each, options)))
      return measured
    } finally {
      await site.close()
    }
  },
}

async function measure(
  site: Site,
  { what, roles, subscriptions, goal }: (typeof CASES)[number],
  { rounds, quick, print }: RowOptions,
): Promise<Measured[]> {
  const load = { connections: CONNECTIONS, seconds: quick ? 1 : 8 }
  const both = { ours: await site.ours(roles, { subscriptions }), floor: await site.floor() }
  // V8 compiles what runs often: the first seconds are slower.
  for (const each of [both.ours, both.floor]) await each.round(load)
  const ours: Round[] = []
  const floor: Round[] = []
  for (let n = 1; n <= rounds; n += 1) {
    ours.push(await told(both.ours, 'ours'))
    floor.push(await told(both.floor, 'floor'))
  }
  for (const each of [both.ours, both.floor]) await each.close()
  const measured = figures(what, ours, floor)
  return goal ? measured : measured.map(({ goal: _, ...figure }) => figure)

  async function told(accepting: Accepting, name: string): Promise<Round> {
    const round = await accepting.round(load)
    const { perSecond, p50Ms, p99Ms } = round
    const latency = `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`
    print(`${what}, ${name}: ${Math.round(perSecond)} events/s, ${latency}, ${costOf(round)}`)
    return round
  }
}

function figures(what: string, ours: readonly Round[], floor: readonly Round[]): Measured[] {
  const beside = (unit: string, figure: (round: Round) => number, of = what) => ({
    what: of,
    unit,
    ours: ours.map(figure),
    peer: { name: FLOOR, figures: floor.map(figure) },
  })
  const rate = medianOf(ours.map(({ perSecond }) => perSecond))
  const share = rate / medianOf(floor.map(({ perSecond }) => perSecond))
  const p99 = medianOf(ours.map(({ p99Ms }) => p99Ms))
  const middle = [...ours].sort((a, b) => costMs(a) - costMs(b))[Math.floor(ours.length / 2)]
  return [
    {
      ...beside('events/s', ({ perSecond }) => perSecond),
      goal: { text: '>= 80 % of the floor, >= 5 000/s', reached: share >= 0.8 && rate >= 5_000 },
      note: `${Math.round(share * 100)} % of the floor; ${CONNECTIONS} connections`,
    },
    beside('ms', ({ p50Ms }) => p50Ms, `${what}: half of the answers within`),
    {
      ...beside('ms', ({ p99Ms }) => p99Ms, `${what}: 99 % of the answers within`),
      goal: { text: '< 100 ms', reached: p99 < 100 },
    },
    {
      ...beside('ms', costMs, `${what}: processor time per event, database included`),
      ...(middle && { note: costOf(middle) }),
    },
  ]
}

function costMs({ processMs, databaseMs }: Round): number {
  return processMs + databaseMs
}

function costOf({ processMs, databaseMs }: Round): string {
  return `${processMs.toFixed(3)} + ${databaseMs.toFixed(3)} ms of a processor (service, database)`
}
