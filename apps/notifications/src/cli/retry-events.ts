/**
 * Sends events again: what is settled becomes pending with a new replay number, and the event is matched anew, so that
 * subscriptions that it has not met get it too. Policy is asked again where it had said no.
 */
import { Event, EventFormatError } from '@pacifica/core'
import { type Database, type Sql, sqlState } from '@pacifica/platform'
import { followThese } from '../deliver/lanes.ts'
import { CANDIDATE, type Candidate, replayDeliveries, sortOut } from '../history/replay.ts'

export interface RetriedDelivery {
  readonly uuid: string
  readonly event: string
}

export interface Retried {
  readonly events: readonly string[]
  readonly deliveries: readonly RetriedDelivery[]
}

export async function retryEvents(database: Database, uuids: readonly string[]): Promise<Retried> {
  const found = await database.query<Candidate & RetriedDelivery>(settled, [uuids])
  const { wanted } = await sortOut(found)
  const retried = await unlessDeadlocked(database, async (sql) => {
    const rows = await sql.query<FoundEvent>(hold, [uuids])
    const replayed = await replayDeliveries(sql, wanted)
    await addDigests(sql, rows)
    const events = rows.map(({ uuid }) => uuid)
    await sql.query(matchAgain, [events])
    const deliveries = found.filter(({ uuid }) => replayed.has(uuid))
    return { events, deliveries: deliveries.map(({ uuid, event }) => ({ uuid, event })) }
  })
  await followThese(
    database,
    retried.deliveries.map(({ uuid }) => uuid),
  )
  await ring(database)
  return retried
}

const DEADLOCK = '40P01'
const TIMES = 5

/** Who stores what some of these events match locks them in another order: then this begins again. */
async function unlessDeadlocked<T>(
  database: Database,
  work: (sql: Sql) => Promise<T>,
  times = TIMES,
): Promise<T> {
  try {
    return await database.transaction(work)
  } catch (error) {
    if (times === 1 || sqlState(error) !== DEADLOCK) throw error
    return unlessDeadlocked(database, work, times - 1)
  }
}

interface FoundEvent {
  readonly uuid: string
  readonly jsondata: string
  readonly digest: string | null
}

// Of an event its state is held, as by everybody who changes that; the event itself is needed by what refers to it.
const hold = `
  SELECT e.uuid, e.jsondata, e.digest FROM eventlog e JOIN event_state s ON s.event = e.uuid
  WHERE e.uuid = ANY($1::uuid[]) ORDER BY e.uuid FOR UPDATE OF s`

const settled = `
  SELECT ${CANDIDATE}, d.event FROM delivery d
  JOIN eventmatch m ON m.uuid = d.subscription JOIN eventlog e ON e.uuid = d.event
  WHERE d.event = ANY($1::uuid[]) AND d.state IN ('delivered', 'denied', 'exhausted', 'failed')
    AND m.deleted IS NULL`

const matchAgain = `
  UPDATE event_state SET state = 'new', reason = NULL, due = now(), begun = 0, claim = claim + 1
  WHERE event = ANY($1::uuid[])`

const addDigest = `
  UPDATE eventlog SET digest = $2 WHERE uuid = $1 AND NOT EXISTS (SELECT FROM eventlog WHERE digest = $2)`

/** What came from the Python service has none, and deliveries are told apart by it. */
async function addDigests(sql: Sql, rows: readonly FoundEvent[]): Promise<void> {
  for (const { uuid, jsondata, digest } of rows) {
    const made = digest === null ? digestOf(jsondata) : undefined
    if (made !== undefined) await sql.query(addDigest, [uuid, made])
  }
}

function digestOf(jsondata: string): string | undefined {
  try {
    return Event.parse(jsondata).digest
  } catch (error) {
    if (error instanceof EventFormatError) return undefined // matching says what is wrong with it
    throw error
  }
}

/** Wakes the loops: of this process when embedded, of all others on a server. */
async function ring(database: Database): Promise<void> {
  for (const channel of ['pacifica_match', 'pacifica_authorize', 'pacifica_deliver']) {
    if (database.engine === 'embedded') database.bell(channel).ring()
    else await database.query('SELECT pg_notify($1, $2)', [channel, 'eventretry'])
  }
}
