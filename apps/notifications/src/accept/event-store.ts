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
}

export interface EventStore {
  /** Commits all of them or none; answers in the order given. */
  insert(events: readonly Event[]): Promise<Accepted[]>
}

// The digest covers source and id, so the same digest is the same event (source, id, bytes).
const insertNew = `
  INSERT INTO eventlog (uuid, jsondata, spec_version, source, event_id, event_type, event_time, digest)
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
  ON CONFLICT (digest) DO NOTHING
  RETURNING uuid, digest`

const findByDigest = 'SELECT uuid, digest FROM eventlog WHERE digest = ANY($1::text[])'

interface Stored {
  readonly uuid: string
  readonly digest: string
}

export function eventStore(needs: { sql: Sql }): EventStore {
  return {
    async insert(events) {
      const inserted = await needs.sql.query<Stored>(insertNew, columns(events))
      const fresh = new Set(inserted.map((row) => row.uuid))
      const byDigest = new Map(inserted.map((row) => [row.digest, row.uuid]))
      const known = events.map((event) => event.digest).filter((digest) => !byDigest.has(digest))
      if (known.length > 0) {
        const rows = await needs.sql.query<Stored>(findByDigest, [known])
        for (const row of rows) byDigest.set(row.digest, row.uuid)
      }
      return events.map((event) => answer(event, byDigest, fresh))
    },
  }
}

/** Each new row belongs to the first event that carries its digest; the others are repeats of it. */
function answer(event: Event, byDigest: Map<string, string>, fresh: Set<string>): Accepted {
  const uuid = byDigest.get(event.digest)
  if (uuid === undefined) throw new EventVanishedError(event.id)
  return { uuid, repeated: !fresh.delete(uuid) }
}

/** The first copy was purged between two statements: the client's next try (or ours) stores it anew. */
export class EventVanishedError extends Error {
  readonly code = 'EVENT_VANISHED'
  constructor(id: string) {
    super(`event ${id} was purged while a repeat of it was being accepted; send it again`)
  }
}

function columns(events: readonly Event[]): unknown[][] {
  return [
    events.map(() => randomUUID()),
    events.map((event) => event.text),
    events.map((event) => event.specVersion),
    events.map((event) => column(event.source)),
    events.map((event) => column(event.id)),
    events.map((event) => column(event.type)),
    events.map((event) => (event.time === undefined ? null : column(event.time))),
    events.map((event) => event.digest),
  ]
}

/** A text column cannot hold U+0000, which a JSON escape can produce; the body itself stays as received. */
function column(text: string): string {
  return text.replaceAll('\u0000', '\uFFFD')
}
