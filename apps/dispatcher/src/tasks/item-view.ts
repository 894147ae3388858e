/** A task as GET /tasks and GET /tasks/:id show it. Pure. */
import type { ListedTask, TaskDetail } from './list.ts'
import { STATUS_LINES } from './task.ts'
import { type TaskView, UNKNOWN_BUNDLE } from './view.ts'

export function taskItem(row: ListedTask) {
  return {
    taskID: row.id,
    taskStatus: STATUS_LINES[row.state],
    state: row.state,
    kind: row.kind,
    repeats: row.repeats,
    source: row.source,
    eventID: row.eventId,
    size: row.size,
    join: row.join,
    attempts: row.attempts,
    retries: row.retries,
    nextTry: row.state === 'retrying' ? row.due.toISOString() : null,
    worker: row.worker,
    progress: row.progress as TaskView['progress'],
    cancelAsked: instant(row.cancelled),
    filesTaken: row.filesTaken,
    bytesTaken: row.bytesTaken,
    bundles: (row.bundles as TaskView['bundles']).map((made) => ({ ...UNKNOWN_BUNDLE, ...made })),
    exceptionType: row.exceptionType,
    exceptionValue: row.exceptionValue,
    created: row.created.toISOString(),
    updated: row.updated.toISOString(),
    started: instant(row.started),
    settled: instant(row.settled),
  }
}

export function taskDetail(row: TaskDetail) {
  return {
    ...taskItem(row),
    exceptionTraceback: row.exceptionTraceback,
    eventData: row.event,
    deliveries: [...row.deliveries],
    uploads: row.uploads.map(({ updated, manifest, ...upload }) => ({
      ...upload,
      files: manifest?.files ?? null,
      bytes: manifest?.bytes ?? null,
      members: manifest?.members ?? null,
      updated: updated.toISOString(),
    })),
    repeatedBy: row.repeatedBy.map(({ id, kind, state }) => ({
      taskID: id,
      kind,
      taskStatus: STATUS_LINES[state],
    })),
    comparison: row.comparison,
  }
}

function instant(time: Date | null): string | null {
  return time?.toISOString() ?? null
}
