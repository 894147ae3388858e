/** The events of a join, for the task that runs on them. */
import { Event } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'
import type { JoinedJob } from '../isolation/isolation.ts'
import { inOrder } from './decide.ts'

/** The join's row has been purged, or somebody has deleted it. */
export class JoinGoneError extends Error {
  readonly code = 'JOIN_GONE'
  constructor(join: string | null) {
    super(`the join ${join} is not in the database any more, and its events with it`)
  }
}

/** @throws JoinGoneError */
export async function readJoined(sql: Sql, join: string | null): Promise<JoinedJob> {
  const [found] = await sql.query<{ name: string; key: string; slots: string[] }>(
    'SELECT name, key, slots FROM task_join WHERE id = $1',
    [join],
  )
  if (found === undefined) throw new JoinGoneError(join)
  const rows = await sql.query<{ slot: string; event: string }>(
    `SELECT s.slot, t.event FROM task_join_slot s JOIN task t ON t.id = s.task
     WHERE s.join_id = $1 ORDER BY s.slot`,
    [join],
  )
  const filled = inOrder(found.slots, rows)
  const events = filled.map(({ slot, event }) => [slot, Event.parse(event)] as const)
  return { join: found.name, key: found.key, events: Object.fromEntries(events) }
}
