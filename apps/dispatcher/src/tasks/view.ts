/** A task as the API shows it: the keys of the Python dispatcher, in its order. Pure. */
import { Event } from '@pacifica/core'
import { STATUS_LINES, type StatusLine, type TaskState } from './task.ts'

/** What is read of a task's row. */
export interface TaskRow {
  readonly id: string
  readonly state: string
  readonly event: string
  readonly filesTaken: number
  readonly bytesTaken: bigint
  readonly bundles: unknown
  readonly joined: string | null
  readonly joinRun: string | null
  readonly attempts: number
  readonly retries: number
  readonly due: Date
  readonly progress: unknown
  readonly cancelled: Date | null
  readonly exceptionType: string | null
  readonly exceptionValue: string | null
  readonly exceptionTraceback: string
  readonly created: Date
  readonly updated: Date
  readonly deleted: Date | null
}

export type TaskEntryRow = Pick<TaskRow, 'id' | 'created' | 'updated' | 'deleted'>

export interface TaskView {
  eventType: string | null
  eventTypeVersion: string | null
  source: string | null
  eventID: string | null
  eventTime: string | null
  schemaURL: string | null
  contentType: string | null
  /** The whole event, as it came in: JSON in a string. */
  eventData: string
  /** The event's data: JSON in a string. */
  data: string
  taskID: string
  taskStatus: StatusLine
  taskApplicationName: string
  taskName: string
  exceptionType: string | null
  exceptionValue: string | null
  exceptionTraceback: string
  created: string
  updated: string
  deleted: string | null
  /** Ours, after the Python dispatcher's: what the handler's downloads brought, and its uploads made. */
  filesTaken: number
  bytesTaken: number
  bundles: {
    bundle: string | null
    jobId: number | null
    transaction: string | null
    unsure: boolean
  }[]
  attempts: number
  retries: number
  nextTry: string | null
  progress: { step: string; done?: number; total?: number; unit?: string; said?: string } | null
  cancelAsked: string | null
  /** The join that its event has gone into, or that it runs. */
  join: string | null
}

/** @param dispatcher the dispatcher's name: the "application" that the Python dispatcher ran as */
export function taskView(row: TaskRow, dispatcher: string): TaskView {
  const event = Event.parse(row.event).project('v0.1')
  const text = (name: string) => {
    const value = event[name]
    return typeof value === 'string' ? value : null
  }
  return {
    eventType: text('eventType'),
    eventTypeVersion: text('eventTypeVersion'),
    source: text('source'),
    eventID: text('eventID'),
    eventTime: text('eventTime'),
    schemaURL: text('schemaURL'),
    contentType: text('contentType'),
    eventData: row.event,
    data: JSON.stringify(event['data'] ?? null),
    taskID: row.id,
    taskStatus: statusOf(row),
    taskApplicationName: dispatcher,
    taskName: `${dispatcher}.receive`,
    exceptionType: row.exceptionType,
    exceptionValue: row.exceptionValue,
    exceptionTraceback: row.exceptionTraceback,
    ...timesOf(row),
    filesTaken: row.filesTaken,
    bytesTaken: Number(row.bytesTaken),
    bundles: (row.bundles as TaskView['bundles']).map((made) => ({ ...UNKNOWN_BUNDLE, ...made })),
    attempts: row.attempts,
    retries: row.retries,
    nextTry: row.state === 'retrying' ? row.due.toISOString() : null,
    progress: row.progress as TaskView['progress'],
    cancelAsked: row.cancelled?.toISOString() ?? null,
    join: row.joinRun ?? row.joined,
  }
}

/** Of bundles that an earlier version noted. */
export const UNKNOWN_BUNDLE = { bundle: null, jobId: null, transaction: null, unsure: false }

export interface TaskEntry {
  taskID: string
  created: string
  updated: string
  deleted: string | null
}

export function taskEntry(row: TaskEntryRow): TaskEntry {
  return { taskID: row.id, ...timesOf(row) }
}

/** A CHECK on the column keeps other states out. */
export function statusOf(row: Pick<TaskRow, 'state'>): StatusLine {
  return STATUS_LINES[row.state as TaskState]
}

function timesOf(row: Pick<TaskRow, 'created' | 'updated' | 'deleted'>) {
  return {
    created: row.created.toISOString(),
    updated: row.updated.toISOString(),
    deleted: row.deleted?.toISOString() ?? null,
  }
}
