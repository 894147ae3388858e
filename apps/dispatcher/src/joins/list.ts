/** Joins as the API reads them: a list with filters, the newest first, page by page; and a single one. */
import type { Sql } from '@pacifica/platform'
import type { TaskState } from '../tasks/task.ts'
import type { JoinState } from './end.ts'

/** All of them must hold; what is not given does not matter. */
export interface JoinFilter {
  readonly states?: readonly JoinState[]
  readonly name?: string
  readonly key?: string
}

/** A slot with its event. */
export interface ShownSlot {
  readonly slot: string
  readonly task: string
  readonly source: string
  readonly eventId: string
  /** As PostgreSQL writes a time in JSON. */
  readonly created: string
}

export interface ListedJoin {
  readonly id: string
  readonly seq: number
  readonly name: string
  readonly key: string
  readonly state: JoinState
  readonly slots: readonly string[]
  readonly atDeadline: 'run' | 'fail'
  readonly deadline: Date
  readonly created: Date
  readonly settled: Date | null
  readonly filled: readonly ShownSlot[]
  /** The newest task that ran on its events, dry runs apart. */
  readonly task: string | null
  readonly taskState: TaskState | null
}

/** @param cursor only joins that were opened before this one, by `seq` */
export function listJoins(
  sql: Sql,
  { states, name, key }: JoinFilter,
  { limit, cursor }: { readonly limit: number; readonly cursor: string | undefined },
): Promise<ListedJoin[]> {
  const values: unknown[] = [limit]
  const conditions = ['true']
  const where = (value: unknown, condition: (given: string) => string) => {
    if (value === undefined) return
    values.push(value)
    conditions.push(condition(`$${values.length}`))
  }
  where(cursor, (given) => `j.seq < ${given}::bigint`)
  where(states && [...states], (given) => `j.state = ANY(${given}::text[])`)
  where(name, (given) => `j.name = ${given}`)
  where(key, (given) => `j.key = ${given}`)
  return sql.query<ListedJoin>(
    `${SELECT} WHERE ${conditions.join(' AND ')} ORDER BY j.seq DESC LIMIT $1`,
    values,
  )
}

const SELECT = `
SELECT j.id, j.seq, j.name, j.key, j.state, j.slots, j.at_deadline AS "atDeadline", j.deadline, j.created, j.settled,
  ran.id AS task, ran.state AS "taskState",
  (SELECT coalesce(jsonb_agg(jsonb_build_object('slot', s.slot, 'task', s.task, 'source', t.source,
                                                'eventId', t.event_id, 'created', s.created)
                             ORDER BY s.created, s.slot), '[]')
   FROM task_join_slot s JOIN task t ON t.id = s.task WHERE s.join_id = j.id) AS filled
FROM task_join j
LEFT JOIN LATERAL (
  SELECT t.id, t.state FROM task t WHERE t.join_run = j.id AND t.kind <> 'dry-run' ORDER BY t.seq DESC LIMIT 1
) ran ON true`

export async function readJoin(sql: Sql, id: string): Promise<ListedJoin | undefined> {
  const [row] = await sql.query<ListedJoin>(`${SELECT} WHERE j.id = $1`, [id])
  return row
}

const BACKLOG = `
SELECT (SELECT count(*)::int FROM (SELECT FROM task_join WHERE state = 'open' LIMIT 10000) AS counted) AS open,
       coalesce((SELECT extract(epoch FROM now() - created) FROM task_join WHERE state = 'open'
                 ORDER BY seq LIMIT 1), 0)::float8 AS oldest,
       greatest(coalesce((SELECT extract(epoch FROM now() - min(deadline)) FROM task_join WHERE state = 'open'), 0),
                0)::float8 AS overdue`

export interface JoinBacklog {
  /** Counted up to 10 000. */
  readonly open: number
  /** Seconds since the oldest of them was opened. */
  readonly oldest: number
  /** Seconds since the first deadline that nobody has seen to. */
  readonly overdue: number
}

export async function readJoinBacklog(sql: Sql): Promise<JoinBacklog> {
  const [row] = await sql.query<JoinBacklog>(BACKLOG)
  return row ?? { open: 0, oldest: 0, overdue: 0 }
}
