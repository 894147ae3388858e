/**
 * Accepting an event is one row. Many requests share one statement; `accept/receive.ts` collects them.
 */
import type { Event } from '@pacifica/core'
import { type Sql, textArray } from '@pacifica/platform'
import { newId } from '../database/new-id.ts'

export interface Accepted {
  /** The stored event's id: that of the first copy when the same bytes come again. */
  readonly uuid: string
  readonly repeated: boolean
  /** An earlier event with the same source and id, but another body. */
  readonly collidesWith?: string
}

export interface EventStore {
  /**
   * Commits all of them or none; answers in the order given. New events are stored under `uuids`, made up if not given,
   * and with the `traces` of the requests that brought them. `leaseMs`: they are stored as claimed, for so long, by this
   * process to be matched (match/match-store.ts), which has begun their claim 1 with that; 0: by nobody.
   */
  insert(
    events: readonly Event[],
    uuids?: readonly string[],
    traces?: readonly (string | undefined)[],
    leaseMs?: number,
  ): Promise<Accepted[]>
  /** So that the id that a sender was given leads to the event that had been stored before. */
  alias(aliases: readonly Alias[]): Promise<void>
}

export interface Alias {
  readonly uuid: string
  readonly event: string
}

// The digest covers source and id, so the same digest is the same event (source, id, bytes). The subselect does not see
// what the statement inserts, so a collision within one group is found by `answers`. One row comes back, with ids only
// where something is unusual: to read a row for each event costs the service more than to send it.
const insertNew = `
  WITH fresh AS (
    INSERT INTO eventlog (uuid, spec_version, source, event_id, event_type, event_time, digest, trace, jsondata)
    SELECT * FROM unnest($1::text[]::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $10::text[])
    ON CONFLICT (digest) DO NOTHING
    RETURNING uuid, source, event_id),
  its_state AS (
    INSERT INTO event_state (event, claim, begun, due)
    SELECT uuid, sign($9), sign($9), now() + $9::float8 * interval '1 millisecond' FROM fresh)
  SELECT CASE WHEN (SELECT count(*) FROM fresh) < cardinality($1::text[]) THEN ARRAY(SELECT uuid::text FROM fresh) END AS stored,
    array_agg(fresh.uuid::text) AS collided, array_agg(first.uuid::text) AS collides_with
  FROM fresh CROSS JOIN LATERAL (
    SELECT earlier.uuid FROM eventlog earlier
    WHERE md5(earlier.source || ' ' || earlier.event_id)::uuid = md5(fresh.source || ' ' || fresh.event_id)::uuid
      AND earlier.source = fresh.source AND earlier.event_id = fresh.event_id
    ORDER BY earlier.sequence LIMIT 1) first`

const findByDigest = 'SELECT uuid, digest FROM eventlog WHERE digest = ANY($1::text[])'

const insertAliases = `
  INSERT INTO eventlog_alias (uuid, event)
  SELECT given.* FROM unnest($1::uuid[], $2::uuid[]) AS given (uuid, event) JOIN eventlog ON eventlog.uuid = given.event
  ON CONFLICT (uuid) DO NOTHING`

interface Stored {
  readonly uuid: string
  readonly digest: string
}

interface Told {
  /** Null: all of them. */
  readonly stored: readonly string[] | null
  readonly collided: readonly string[] | null
  /** Of each of `collided` the event that came first. */
  readonly collides_with: readonly string[] | null
}

export function eventStore(needs: { sql: Sql }): EventStore {
  async function find(repeats: readonly Event[]): Promise<Map<string, string>> {
    if (repeats.length === 0) return new Map()
    const digests = repeats.map(({ digest }) => digest)
    const rows = await needs.sql.query<Stored>(findByDigest, [digests])
    return new Map(rows.map(({ digest, uuid }) => [digest, uuid]))
  }

  return {
    async insert(events, uuids = events.map(newId), traces = [], leaseMs = 0) {
      const values = columns(events, uuids, traces, leaseMs)
      const [told] = await needs.sql.query<Told>(insertNew, values, 'prepared')
      if (isUsual(events, told)) return uuids.map((uuid) => ({ uuid, repeated: false }))
      const stored = new Set(told?.stored ?? uuids)
      const known = await find(events.filter((_, index) => !stored.has(uuids[index] as string)))
      const { collided, collides_with: firsts } = told ?? {}
      const collisions = new Map(collided?.map((uuid, index) => [uuid, firsts?.[index]]))
      return answers(events, uuids, { stored, known, collisions })
    },
    async alias(aliases) {
      const values = [aliases.map(({ uuid }) => uuid), aliases.map(({ event }) => event)]
      if (aliases.length > 0) await needs.sql.query(insertAliases, values)
    },
  }
}

/** All of them are new, and have nothing in common with another one. */
function isUsual(events: readonly Event[], told: Told | undefined): boolean {
  if (told === undefined || told.stored !== null || told.collided !== null) return false
  return new Set(events.map(({ id }) => id)).size === events.length
}

/** Of events with the same digest the first is stored, under its own id; the others are repeats of it. */
function answers(
  events: readonly Event[],
  uuids: readonly string[],
  found: {
    readonly stored: ReadonlySet<string>
    /** By digest, of those that are not stored under their own id. */
    readonly known: ReadonlyMap<string, string>
    readonly collisions: ReadonlyMap<string, string | undefined>
  },
): Accepted[] {
  const firsts = new Map<string, string>()
  return events.map((event, index) => {
    const uuid = uuids[index] as string
    if (!found.stored.has(uuid)) return repeatOf(event, found.known)
    const identity = `${event.source.length} ${event.source} ${event.id}`
    const collidesWith = found.collisions.get(uuid) ?? firsts.get(identity)
    if (collidesWith !== undefined) return { uuid, repeated: false, collidesWith }
    firsts.set(identity, uuid)
    return { uuid, repeated: false }
  })
}

function repeatOf(event: Event, known: ReadonlyMap<string, string>): Accepted {
  const uuid = known.get(event.digest)
  if (uuid === undefined) throw new EventVanishedError(event.id)
  return { uuid, repeated: true }
}

/** The first copy was purged between two statements: the next try stores it anew. */
export class EventVanishedError extends Error {
  readonly code = 'EVENT_VANISHED'
  constructor(id: string) {
    super(`event ${id} was purged while a repeat of it was being accepted; send it again`)
  }
}

function columns(
  events: readonly Event[],
  uuids: readonly string[],
  traces: readonly (string | undefined)[],
  leaseMs: number,
): unknown[] {
  return [
    textArray(uuids),
    textArray(events.map((event) => event.specVersion)),
    textArray(events.map((event) => event.source)),
    textArray(events.map((event) => event.id)),
    textArray(events.map((event) => event.type)),
    textArray(events.map((event) => event.time ?? null)),
    textArray(events.map((event) => event.digest)),
    textArray(events.map((_, index) => traces[index] ?? null)),
    leaseMs,
    // Last: what `pg` appends to a long parameter makes it move all before to a larger buffer.
    textArray(events.map((event) => event.text)),
  ]
}
