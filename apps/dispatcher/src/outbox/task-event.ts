/** From a row of the outbox to the event that is published. Pure. */
import { basename } from 'node:path'
import { type TaskEvent, taskEventId, writeTaskEvent } from '@pacifica/core'
import type { TaskEventMessage } from '@pacifica/platform'
import { statusOf } from '../tasks/view.ts'
import type { OutboxRow } from './store.ts'

/** Another replica, of a later version, is in a state that this one has no word for; that one can tell it. */
export class TaskStateUnknownError extends Error {
  readonly code = 'TASK_STATE_UNKNOWN'
  constructor(state: string) {
    super(`the state '${state}' is not known to this version of the dispatcher`)
  }
}

/**
 * Readers see a bundle's name, not where it lies on this machine, and no traceback: a subscriber is not the handler's
 * author.
 * @throws TaskStateUnknownError
 */
export function taskEventOf(row: OutboxRow, dispatcher: string): TaskEvent {
  const { snapshot, seq, deliveries } = row
  const status: string | undefined = statusOf(snapshot)
  if (status === undefined) throw new TaskStateUnknownError(snapshot.state)
  const { exception_type: type, exception_value: value } = snapshot
  return {
    taskId: snapshot.id,
    sequence: seq,
    dispatcher,
    state: snapshot.state,
    status,
    attempt: snapshot.attempts,
    deliveries,
    event: { source: snapshot.source, id: snapshot.event_id, digest: snapshot.digest },
    exception: type === null ? null : { type, value: value ?? '' },
    filesTaken: snapshot.files_taken,
    bytesTaken: snapshot.bytes_taken,
    bundles: snapshot.bundles.map(({ bundle, jobId }) => ({
      bundle: typeof bundle === 'string' ? basename(bundle) : null,
      jobId: jobId ?? null,
    })),
    created: instant(snapshot.created),
    started: snapshot.started === null ? null : instant(snapshot.started),
    settled: snapshot.settled === null ? null : instant(snapshot.settled),
    time: row.created.toISOString(),
  }
}

export function messageOf(row: OutboxRow, dispatcher: string): TaskEventMessage {
  const event = taskEventOf(row, dispatcher)
  return {
    id: taskEventId(event),
    state: event.state,
    body: writeTaskEvent(event, row.snapshot.trace ?? undefined),
  }
}

/** PostgreSQL writes a time in JSON with microseconds and the session's zone. */
function instant(text: string): string {
  return new Date(text).toISOString()
}
