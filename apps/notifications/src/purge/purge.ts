/**
 * Purging: old events go, with their deliveries, attempts, policy answers and the notes of the Python service. In
 * batches of one short transaction each, so that nobody waits long for a lock. A purge itself waits for no lock, so that
 * it is in no circle: what somebody else holds is left for the next time. What still waits for something is kept, unless
 * one is told otherwise, and is not locked either.
 */
import type { Database, Sql } from '@pacifica/platform'

export interface PurgeOptions {
  /** Which events: those accepted before this time, or these. */
  readonly which: { readonly before: Date } | { readonly uuids: readonly string[] }
  /** At most so many. */
  readonly limit?: number | undefined
  /**
   * Also events that still wait: `all`, or only those `held` for a disabled subscription, which may never be enabled
   * again. Default: none.
   */
  readonly pendingToo?: 'all' | 'held' | 'none'
  readonly batch?: number
  /** Between two batches; the purge ends early when it aborts. */
  readonly signal?: AbortSignal
}

export interface Purged {
  readonly purged: number
  /** Old enough, but they still wait, or somebody has them in hand just now. */
  readonly kept: number
}

/** Where the last batch ended: events in the order of their acceptance. */
interface Place {
  readonly created: string
  readonly uuid: string
}

const BEGIN: Place = { created: '-infinity', uuid: '00000000-0000-0000-0000-000000000000' }
const BATCH = 500

export async function purgeEvents(
  database: Pick<Database, 'transaction'>,
  options: PurgeOptions,
): Promise<Purged> {
  const { limit = Number.MAX_SAFE_INTEGER, batch = BATCH, signal } = options
  let [purged, kept, place] = [0, 0, BEGIN]
  while (purged < limit && !signal?.aborted) {
    const size = Math.min(batch, limit - purged)
    const done = await database.transaction((sql) => purgeBatch(sql, place, size, options))
    purged += done.purged
    kept += done.found - done.purged
    if (done.last === undefined) break
    place = done.last
  }
  return { purged, kept }
}

interface BatchDone {
  readonly purged: number
  readonly found: number
  readonly last: Place | undefined
}

// A row's text of the time, because a Date has no microseconds. In ORDER BY a name alone would be that text, and no index
// has its order.
const find = (which: string) => `
  SELECT uuid, created::text AS created FROM eventlog JOIN event_state ON event = uuid
  WHERE (created, uuid) > ($1::timestamptz, $2::uuid) AND ${which}
  ORDER BY eventlog.created, eventlog.uuid LIMIT $3 FOR UPDATE SKIP LOCKED`
const findOlder = find('created < $4::timestamptz')
const findThese = find('uuid = ANY($4::uuid[])')

const KEPT = {
  none: ['pending', 'delivering', 'retrying', 'held'],
  held: ['pending', 'delivering', 'retrying'],
} as const

/** Of the events $1 those that may go; null in $2: all. */
const FREE = `
  SELECT event AS uuid FROM event_state s WHERE event = ANY($1::uuid[]) AND ($2::text[] IS NULL OR state = 'matched'
    AND NOT EXISTS (SELECT FROM delivery d WHERE d.event = s.event AND d.state = ANY($2::text[])))`

/**
 * Those that may go and of which nobody else holds a delivery or an answer of Policy. Whoever replays or settles one waits
 * for us from now on: what is settled stays settled. There come none to them: who adds one needs the event's row.
 */
const hold = `
  WITH free AS MATERIALIZED (${FREE}),
  deliveries AS (
    SELECT event, uuid FROM delivery WHERE event IN (SELECT uuid FROM free) FOR UPDATE SKIP LOCKED),
  answers AS (
    SELECT event, owner FROM policy_answer WHERE event IN (SELECT uuid FROM free) FOR UPDATE SKIP LOCKED),
  others AS (
    SELECT event FROM (
      SELECT event, uuid FROM delivery WHERE event IN (SELECT uuid FROM free) EXCEPT SELECT event, uuid FROM deliveries) d
    UNION ALL SELECT event FROM (
      SELECT event, owner FROM policy_answer WHERE event IN (SELECT uuid FROM free) EXCEPT SELECT event, owner FROM answers) p)
  SELECT uuid FROM free EXCEPT SELECT event FROM others`

// Once more whether they may go: one may have been replayed before it was held.
const remove = `
  WITH gone AS (${FREE}),
  notes AS (DELETE FROM eventlogmatch m USING gone WHERE m.event_log_id = gone.uuid)
  DELETE FROM eventlog e USING gone WHERE e.uuid = gone.uuid RETURNING e.uuid`

async function purgeBatch(
  sql: Sql,
  place: Place,
  size: number,
  { which, pendingToo = 'none' }: PurgeOptions,
): Promise<BatchDone> {
  const found =
    'before' in which
      ? await sql.query<Place>(findOlder, [place.created, place.uuid, size, which.before])
      : await sql.query<Place>(findThese, [place.created, place.uuid, size, which.uuids])
  if (found.length === 0) return { purged: 0, found: 0, last: undefined }
  const uuids = found.map(({ uuid }) => uuid)
  const kept = pendingToo === 'all' ? null : KEPT[pendingToo]
  const held = await sql.query<{ uuid: string }>(hold, [uuids, kept])
  const purged = await sql.query(remove, [held.map(({ uuid }) => uuid), kept])
  return { purged: purged.length, found: found.length, last: found.at(-1) }
}
