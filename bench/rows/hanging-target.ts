/**
 * What one target that never answers, with 100 000 deliveries due, costs the others: the same load beside it and beside as
 * many deliveries that have been made to it, in pairs. So the tables are alike in both: over tables that were empty when
 * PostgreSQL last counted them its plans are others, and slower ones.
 */
import type { Database } from '@pacifica/platform'
import { medianOf } from '../figures.ts'
import { usedOf } from '../pipeline/figures.ts'
import { eventFor, expressionFor } from '../pipeline/load.ts'
import { type Load, ours, type Ran, type RunNeeds, run } from '../pipeline/run.ts'
import { withSite } from '../pipeline/with-site.ts'
import type { Measured, Row } from '../row.ts'

const OF_TARGET = 100_000
const SUBSCRIPTIONS = 100
const GOAL_LOSS = 0.1

/** The state of the target's deliveries: all wait for it, or all have been made. */
type Backlog = 'due' | 'delivered'

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

const HANGING = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  VALUES (md5('hang')::uuid, 'hanging', '$.nothing', 'unlucky', $1, 1)`

const EVENTS = [
  `INSERT INTO eventlog (uuid, jsondata, digest, state, match_due)
   SELECT md5('h' || n)::uuid, '{"cloudEventsVersion":"0.1","eventType":"h","source":"/h","eventID":"' || n || '"}',
     'h' || n, 'matched', NULL FROM generate_series(1, $1::int) n`,
  `INSERT INTO policy_answer (event, owner, state, answered, due)
   SELECT md5('h' || n)::uuid, 'unlucky', 'allowed', now() + interval '1 day', NULL FROM generate_series(1, $1::int) n`,
]

const DELIVERIES: Readonly<Record<Backlog, string>> = {
  due: deliveries("'pending', now() - interval '1 hour', NULL"),
  delivered: deliveries("'delivered', NULL, now()"),
}

function deliveries(stateDueSettled: string): string {
  return `
    INSERT INTO delivery (event, subscription, owner, state, due, settled)
    SELECT md5('h' || n)::uuid, md5('hang')::uuid, 'unlucky', ${stateDueSettled} FROM generate_series(1, $1::int) n`
}

async function fill(
  database: Database,
  port: number,
  { backlog, ofTarget }: { backlog: Backlog; ofTarget: number },
): Promise<void> {
  await database.query(HANGING, [`http://127.0.0.250:${port}/hang`])
  for (const statement of [...EVENTS, DELIVERIES[backlog]])
    await database.query(statement, [ofTarget])
}
