/**
 * Accepting an event is one row. Many requests share one statement; `accept/receive.ts` collects them.
 */
import { randomUUID } from 'node:crypto'
import type { Event } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'

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
   * and with the `traces` of the requests that brought them.
   */
  insert(
    events: readonly Event[],
    uuids?: readonly string[],
    traces?: readonly (string | undefined)[],
  ): Promise<Accepted[]>
  /** So that the id that a sender was given leads to the event that had been stored before. */
  alias(aliases: readonly Alias[]): Promise<void>
}

export interface Alias {
  readonly uuid: string
  readonly event: string
}

// The digest covers source and id, so the same digest is the same event (source, id, bytes). The outer SELECT does not
// see what the statement inserts, so a collision within one group is found by `collisions`.
const insertNew = `
  WITH fresh AS (
    INSERT INTO eventlog (uuid, jsondata, spec_version, source, event_id, event_type, event_time, digest, trace)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
      $9::text[])
    ON CONFLICT (digest) DO NOTHING
    RETURNING uuid, digest, source, event_id)
  SELECT uuid, digest, (
    SELECT earlier.uuid FROM eventlog earlier
    WHERE md5(earlier.source || ' ' || earlier.event_id)::uuid = md5(fresh.source || ' ' || fresh.event_id)::uuid
      AND earlier.source = fresh.source AND earlier.event_id = fresh.event_id
    ORDER BY earlier.sequence LIMIT 1) AS collides_with
  FROM fresh`

const findByDigest = 'SELECT uuid, digest FROM eventlog WHERE digest = ANY($1::text[])'

const insertAliases = `
  INSERT INTO eventlog_alias (uuid, event)
  SELECT given.* FROM unnest($1::uuid[], $2::uuid[]) AS given (uuid, event) JOIN eventlog ON eventlog.uuid = given.event
  ON CONFLICT (uuid) DO NOTHING`

interface Stored {
  readonly uuid: string
  readonly digest: string
}

interface Fresh extends Stored {
  readonly collides_with: string | null
}

export function eventStore(needs: { sql: Sql }): EventStore {
  return {
    async insert(events, uuids = events.map(() => randomUUID()), traces = []) {
      const inserted = await needs.sql.query<Fresh>(
        insertNew,
        columns(events, uuids, traces),
        'prepared',
      )
      const fresh = new Map(inserted.map((row) => [row.uuid, row]))
      const byDigest = new Map(inserted.map((row) => [row.digest, row.uuid]))
      const known = events.map((event) => event.digest).filter((digest) => !byDigest.has(digest))
      if (known.length > 0) {
        const rows = await needs.sql.query<Stored>(findByDigest, [known])
        for (const row of rows) byDigest.set(row.digest, row.uuid)
      }
      return answers(events, byDigest, fresh)
    },
    async alias(aliases) {
      const values = [aliases.map(({ uuid }) => uuid), aliases.map(({ event }) => event)]
      if (aliases.length > 0) await needs.sql.query(insertAliases, values)
    },
  }
}

/** Each new row belongs to the first event that carries its digest; the others are repeats of it. */
function answers(
  events: readonly Event[],
  byDigest: ReadonlyMap<string, string>,
  fresh: Map<string, Fresh>,
): Accepted[] {
  const firsts = new Map<string, string>()
  return events.map((event) => {
    const uuid = byDigest.get(event.digest)
    if (uuid === undefined) throw new EventVanishedError(event.id)
    const row = fresh.get(uuid)
    if (row === undefined) return { uuid, repeated: true }
    fresh.delete(uuid)
    const identity = JSON.stringify([event.source, event.id])
    const collidesWith = row.collides_with ?? firsts.get(identity)
    if (collidesWith === undefined) firsts.set(identity, uuid)
    return { uuid, repeated: false, ...(collidesWith === undefined ? {} : { collidesWith }) }
  })
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
): unknown[][] {
  return [
    [...uuids],
    events.map((event) => event.text),
    events.map((event) => event.specVersion),
    events.map((event) => column(event.source)),
    events.map((event) => column(event.id)),
    events.map((event) => column(event.type)),
    events.map((event) => (event.time === undefined ? null : column(event.time))),
    events.map((event) => event.digest),
    events.map((_, index) => traces[index] ?? null),
  ]
}

/** A text column cannot hold U+0000, which a JSON escape can produce; the body itself stays as received. */
function column(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD')
}
