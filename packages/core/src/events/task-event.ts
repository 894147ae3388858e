/**
 * What a dispatcher says of a task, and notifications reads: a CloudEvent 1.0. The one place where its shape stands; the
 * two services share nothing else.
 *
 * | attribute | what |
 * |---|---|
 * | `id` | task and sequence: a repeat has the same |
 * | `source` | `/dispatchers/<name>` |
 * | `type` | `org.pacifica.dispatcher.task.<state>` |
 * | `subject` | the task's id |
 * | `traceparent` | W3C trace context of the delivery that brought the event, if it had one |
 * | `data` | `TaskEvent`, without a traceback: who sees a delivery need not see the author's code |
 */
import { DISPATCHER_NAME_PATTERN } from './dispatcher-name.ts'
import { EventFormatError } from './errors.ts'
import { Event } from './event.ts'
import { isJsonObject, type JsonObject } from './json.ts'

/** What became of a task, at one of its changes. The numbers are never negative. */
export interface TaskEvent {
  /** A uuid, in lower case. */
  readonly taskId: string
  /** Of one task, a greater one is a later change: they may arrive in any order. */
  readonly sequence: number
  /** The name in `dispatch://<name>`. */
  readonly dispatcher: string
  /** `waiting`, `running`, `done`, …: a dispatcher may have states that its readers have not heard of. */
  readonly state: string
  /** As GET /status/ID shows it: `200 OK`. */
  readonly status: string
  /** How often the task has been begun. */
  readonly attempt: number
  /** The deliveries that brought the event to the dispatcher, and how often each was sent anew by hand. */
  readonly deliveries: readonly {
    /** A uuid. */
    readonly deliveryId: string
    /** 0 at first. */
    readonly replay: number
  }[]
  /** The event that the task is about. */
  readonly event: {
    /** As in the event. */
    readonly source: string
    /** As in the event. */
    readonly id: string
    /** SHA-256, hex, of the bytes that notifications received. */
    readonly digest: string
  }
  /** Why it failed or waits to be tried again. */
  readonly exception: {
    /** The class of what was thrown. */
    readonly type: string
    /** Its message. */
    readonly value: string
  } | null
  /** Files that the handler has been given so far. */
  readonly filesTaken: number
  /** Their bytes. */
  readonly bytesTaken: number
  /** What it has handed in. The newest 100. */
  readonly bundles: readonly {
    /** A name, not where it lies; null where none is kept. */
    readonly bundle: string | null
    /** Ingest's number; null without Ingest. */
    readonly jobId: number | null
  }[]
  /** These four and `time` are RFC 3339. */
  readonly created: string
  /** When it was begun last; null: never. */
  readonly started: string | null
  /** When it came to its end; null: it has not. */
  readonly settled: string | null
  /** When this change was made. */
  readonly time: string
}

/** A handler may upload without end; each of its events would repeat all of them. */
export const MOST_BUNDLES = 100

const TYPE = 'org.pacifica.dispatcher.task.'
const SOURCE = '/dispatchers/'

/**
 * The `id` of the CloudEvent: the same for a repeat, another for the next change.
 * @param event of which task, and which change
 */
export function taskEventId({ taskId, sequence }: Pick<TaskEvent, 'taskId' | 'sequence'>): string {
  return `${taskId}.${sequence}`
}

/**
 * The event as JSON text.
 * @param event the change
 * @param traceparent W3C trace context of the delivery that brought the event
 */
export function writeTaskEvent(event: TaskEvent, traceparent: string | undefined): string {
  const { time, ...data } = event
  return JSON.stringify({
    specversion: '1.0',
    id: taskEventId(event),
    source: `${SOURCE}${event.dispatcher}`,
    type: `${TYPE}${event.state}`,
    subject: event.taskId,
    time,
    ...(traceparent === undefined ? {} : { traceparent }),
    datacontenttype: 'application/json',
    data: { ...data, bundles: data.bundles.slice(-MOST_BUNDLES) },
  })
}

/**
 * Reads what `writeTaskEvent` wrote; what later versions add is passed over. Throws `EventFormatError`.
 * @param text of the CloudEvent
 */
export function readTaskEvent(text: string): TaskEvent {
  const event = Event.parse(text)
  if (!event.type.startsWith(TYPE))
    throw new EventFormatError(`"type" is ${event.type}; ${TYPE}… is expected`, { member: 'type' })
  const { data } = event
  if (!isJsonObject(data)) throw wrong('data', 'an object')
  return {
    taskId: textOf(data, 'taskId', UUID, 'a uuid').toLowerCase(),
    sequence: count(data, 'sequence', MOST_LARGE),
    dispatcher: textOf(data, 'dispatcher', DISPATCHER_NAME_PATTERN, "1 to 64 of a-z, 0-9 and '-'"),
    state: textOf(data, 'state', STATE, "1 to 64 of a-z, 0-9 and '-'"),
    status: textOf(data, 'status', STATUS, 'a status line: "200 OK"'),
    attempt: count(data, 'attempt'),
    deliveries: list(data, 'deliveries').map((each) => ({
      deliveryId: textOf(each, 'deliveryId', UUID, 'a uuid').toLowerCase(),
      replay: count(each, 'replay'),
    })),
    event: eventOf(member(data, 'event')),
    exception: data['exception'] === null ? null : exceptionOf(member(data, 'exception')),
    filesTaken: count(data, 'filesTaken'),
    bytesTaken: count(data, 'bytesTaken', MOST_LARGE),
    bundles: list(data, 'bundles').slice(-MOST_BUNDLES).map(bundleOf),
    created: instant(data, 'created'),
    started: data['started'] === null ? null : instant(data, 'started'),
    settled: data['settled'] === null ? null : instant(data, 'settled'),
    time: instant(event.value, 'time'),
  }
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const STATE = /^[a-z0-9-]{1,64}$/
const STATUS = /^\d{3} [ -~]{1,80}$/
const ANY = /^[^\0]*$/s
const MOST_COUNT = 2_147_483_647
const MOST_LARGE = Number.MAX_SAFE_INTEGER
/** A year that every database takes. */
const INSTANT = /^[12]\d{3}-\d\d-\d\dT/
/** More is cut: whoever runs handlers decides what they throw. */
const MOST_TEXT = 8_192

function eventOf(value: JsonObject): TaskEvent['event'] {
  return {
    source: textOf(value, 'source', ANY, 'text'),
    id: textOf(value, 'id', ANY, 'text'),
    digest: textOf(value, 'digest', ANY, 'text'),
  }
}

function exceptionOf(value: JsonObject): NonNullable<TaskEvent['exception']> {
  return {
    type: textOf(value, 'type', ANY, 'text').slice(0, 200),
    value: textOf(value, 'value', ANY, 'text').slice(0, MOST_TEXT),
  }
}

function bundleOf(value: JsonObject): TaskEvent['bundles'][number] {
  const bundle = value['bundle'] ?? null
  const jobId = value['jobId'] ?? null
  return {
    bundle: bundle === null ? null : textOf(value, 'bundle', ANY, 'text').slice(0, MOST_TEXT),
    jobId: jobId === null ? null : count(value, 'jobId', MOST_LARGE),
  }
}

function textOf(value: JsonObject, name: string, pattern: RegExp, expected: string): string {
  const found = value[name]
  if (typeof found !== 'string' || !pattern.test(found)) throw wrong(name, expected)
  return found
}

function count(value: JsonObject, name: string, most = MOST_COUNT): number {
  const found = value[name]
  if (typeof found !== 'number' || !Number.isSafeInteger(found) || found < 0 || found > most)
    throw wrong(name, `a whole number from 0 to ${most}`)
  return found
}

function instant(value: JsonObject, name: string): string {
  const found = value[name]
  if (typeof found !== 'string' || !INSTANT.test(found) || Number.isNaN(Date.parse(found)))
    throw wrong(name, 'a time')
  return new Date(found).toISOString()
}

function member(value: JsonObject, name: string): JsonObject {
  const found = value[name]
  if (!isJsonObject(found)) throw wrong(name, 'an object')
  return found
}

function list(value: JsonObject, name: string): JsonObject[] {
  const found = value[name]
  if (!Array.isArray(found) || !found.every(isJsonObject)) throw wrong(name, 'a list of objects')
  return found
}

function wrong(name: string, expected: string): EventFormatError {
  return new EventFormatError(`"${name}" of the task event must be ${expected}`, { member: name })
}
