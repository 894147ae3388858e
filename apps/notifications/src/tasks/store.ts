/**
 * What dispatchers say of tasks, kept for each delivery that it concerns. A repeat changes nothing; whichever order
 * they come in, the greatest sequence is the newest. What concerns no delivery that is (still) here is dropped: a purge
 * may have removed it, and no repeat would bring it back.
 */
import type { TaskEvent } from '@pacifica/core'
import type { Sql } from '@pacifica/platform'

/** In how many deliveries' timelines it is new. */
export interface Stored {
  readonly added: number
  readonly named: number
}

// The deliveries are locked first, in order, as a purge does; the rows follow in order too, so that two batches that
// hold the same events wait for each other, and never in a circle.
const insert = `
  WITH told AS (
    SELECT * FROM unnest($1::uuid[], $2::int[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[],
                         $8::int[], $9::text[], $10::text[], $11::int[], $12::bigint[], $13::jsonb[],
                         $14::timestamptz[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[])
      AS t (delivery, replay, task, sequence, dispatcher, state, status, attempt, exception_type, exception_value,
            files_taken, bytes_taken, bundles, created, started, settled, time)),
  here AS (
    SELECT uuid FROM delivery WHERE uuid IN (SELECT delivery FROM told) ORDER BY uuid FOR KEY SHARE)
  INSERT INTO task_event (delivery, replay, task, sequence, dispatcher, state, status, attempt, exception_type,
                          exception_value, files_taken, bytes_taken, bundles, created, started, settled, time)
  SELECT told.* FROM told JOIN here ON here.uuid = told.delivery ORDER BY told.delivery, told.task, told.sequence
  ON CONFLICT DO NOTHING
  RETURNING task, sequence`

/** Commits all of them or none; answers in the order given. */
export async function storeTaskEvents(sql: Sql, events: readonly TaskEvent[]): Promise<Stored[]> {
  const rows = events.flatMap((event) => event.deliveries.map((to) => ({ ...event, ...to })))
  const added =
    rows.length === 0
      ? []
      : await sql.query<{ task: string; sequence: number }>(insert, [
          rows.map((row) => row.deliveryId),
          rows.map((row) => row.replay),
          rows.map((row) => row.taskId),
          rows.map((row) => row.sequence),
          rows.map((row) => row.dispatcher),
          rows.map((row) => row.state),
          rows.map((row) => row.status),
          rows.map((row) => row.attempt),
          rows.map((row) => row.exception?.type ?? null),
          rows.map((row) => row.exception?.value ?? null),
          rows.map((row) => row.filesTaken),
          rows.map((row) => row.bytesTaken),
          rows.map((row) => JSON.stringify(row.bundles)),
          rows.map((row) => row.created),
          rows.map((row) => row.started),
          rows.map((row) => row.settled),
          rows.map((row) => row.time),
        ])
  return events.map(({ taskId, sequence, deliveries }) => ({
    added: added.filter((row) => row.task === taskId && row.sequence === sequence).length,
    named: deliveries.length,
  }))
}
