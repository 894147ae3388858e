/** What lies in the tables before a run: one more subscription, whose target never answers, and its deliveries. */
import type { Database } from '@pacifica/platform'

/** All wait for the target, or all have been made. */
export type Backlog = 'due' | 'delivered'

const HANGING = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  VALUES (md5('hang')::uuid, 'hanging', '$.nothing', 'unlucky', $1, 1)`

const EVENTS = [
  `INSERT INTO eventlog (uuid, jsondata, digest)
   SELECT md5('h' || n)::uuid, '{"cloudEventsVersion":"0.1","eventType":"h","source":"/h","eventID":"' || n || '"}',
     'h' || n FROM generate_series(1, $1::int) n`,
  `INSERT INTO event_state (event, state, due) SELECT md5('h' || n)::uuid, 'matched', NULL FROM generate_series(1, $1::int) n`,
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

export async function fill(
  database: Database,
  port: number,
  { backlog, ofTarget }: { backlog: Backlog; ofTarget: number },
): Promise<void> {
  await database.query(HANGING, [`http://127.0.0.250:${port}/hang`])
  for (const statement of [...EVENTS, DELIVERIES[backlog]])
    await database.query(statement, [ofTarget])
}
