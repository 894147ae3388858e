/**
 * What one target that never answers, with 100 000 deliveries due, costs the others: the same load with it and without,
 * in pairs.
 */
import type { Database } from '@pacifica/platform'
import { medianOf } from '../figures.ts'
import { eventFor, expressionFor } from '../pipeline/load.ts'
import { type Load, ours, type RunNeeds, run } from '../pipeline/run.ts'
import { withSite } from '../pipeline/with-site.ts'
import type { Row } from '../row.ts'

const DUE = 100_000
const SUBSCRIPTIONS = 100
const GOAL_LOSS = 0.1

export const row: Row = {
  name: 'hanging-target',
  what: 'one target hanging with 100 000 due',
  run: ({ rounds, quick, print }) =>
    withSite(async (needs) => {
      const [due, count] = quick ? [1_000, 200] : [DUE, 5_000]
      const pairs: (readonly [number, number])[] = []
      for (let round = 1; round <= rounds; round += 1) {
        const [alone, beside] = await pair(needs, { round, count, due })
        pairs.push([alone, beside])
        const figures = `${Math.round(alone)}/s alone, ${Math.round(beside)}/s beside`
        print(`pair ${round}: ${figures}: loss ${((1 - beside / alone) * 100).toFixed(1)} %`)
      }
      const loss = medianOf(pairs.map(([alone, beside]) => 1 - beside / alone))
      return [
        {
          what: `${SUBSCRIPTIONS} other subscriptions, beside it`,
          unit: 'events/s',
          ours: pairs.map(([, beside]) => beside),
          peer: { name: 'the same alone', figures: pairs.map(([alone]) => alone) },
          goal: { text: `others lose < ${GOAL_LOSS * 100} %`, reached: loss < GOAL_LOSS },
          note: `median loss of a pair ${(loss * 100).toFixed(1)} %`,
        },
      ]
    }),
}

async function pair(
  needs: RunNeeds,
  { round, count, due }: { round: number; count: number; due: number },
): Promise<[alone: number, beside: number]> {
  const rate = async (load: Load) => count / (await run(needs, ours, load)).seconds
  const beside = {
    ...loadOf(count),
    prepare: (database: Database) => fillBacklog(database, needs.site.port, due),
  }
  // In turn: whatever warms up or fills up favours neither.
  if (round % 2 === 0) {
    const first = await rate(beside)
    return [await rate(loadOf(count)), first]
  }
  return [await rate(loadOf(count)), await rate(beside)]
}

function loadOf(count: number): Load {
  const events = (length: number) => Array.from({ length }, (_, n) => eventFor(n % SUBSCRIPTIONS))
  return {
    ...{ subscriptions: SUBSCRIPTIONS, expressionOf: expressionFor, matching: 1 },
    ...{ warming: events(count / 10), events: events(count) },
  }
}

const HANGING = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  VALUES (md5('hang')::uuid, 'hanging', '$.nothing', 'unlucky', $1, 1)`

const BACKLOG = [
  `INSERT INTO eventlog (uuid, jsondata, digest, state, match_due)
   SELECT md5('h' || n)::uuid, '{"cloudEventsVersion":"0.1","eventType":"h","source":"/h","eventID":"' || n || '"}',
     'h' || n, 'matched', NULL FROM generate_series(1, $1::int) n`,
  `INSERT INTO policy_answer (event, owner, state, answered, due)
   SELECT md5('h' || n)::uuid, 'unlucky', 'allowed', now() + interval '1 day', NULL FROM generate_series(1, $1::int) n`,
  `INSERT INTO delivery (event, subscription, owner, state, due)
   SELECT md5('h' || n)::uuid, md5('hang')::uuid, 'unlucky', 'pending', now() - interval '1 hour'
   FROM generate_series(1, $1::int) n`,
]

async function fillBacklog(database: Database, port: number, count: number): Promise<void> {
  await database.query(HANGING, [`http://127.0.0.250:${port}/hang`])
  for (const statement of BACKLOG) await database.query(statement, [count])
}
