/** The schemas of GET /tasks and what there is to do with a single task, with examples. */
import { Type } from 'typebox'
import { exampleEvent, exampleId, exampleTime, status, task, textOrNull, time } from './schemas.ts'
import { STATUS_LINES, type TaskState } from './task.ts'

export const TASK_KINDS = ['event', 'retry', 'dry-run', 'join'] as const
const STATES = Object.keys(STATUS_LINES) as TaskState[]
const otherId = '5d0c3a52-77a1-4be8-9d6c-2f4a8e1b6c90'
const timeOrNull = Type.Union([time, Type.Null()])
const count = (description: string) => Type.Integer({ minimum: 0, description })
const countOrNull = (description: string) =>
  Type.Union([Type.Integer(), Type.Null()], { description })

const oneState = STATES.join('|')
export const tasksQuery = Type.Object({
  state: Type.Optional(
    Type.String({
      pattern: `^(${oneState})(,(${oneState}))*$`,
      description: `One of ${STATES.join(', ')}, or some of them with commas between`,
      examples: ['failed,timed-out'],
    }),
  ),
  kind: Type.Optional(Type.String({ enum: [...TASK_KINDS], examples: ['event'] })),
  source: Type.Optional(
    Type.String({ maxLength: 8_192, description: "The event's source", examples: ['/pacifica'] }),
  ),
  eventID: Type.Optional(
    Type.String({
      maxLength: 8_192,
      description: "The event's id",
      examples: ['metadata.ingest.67'],
    }),
  ),
  since: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'Tasks that came in then or later',
      examples: [exampleTime],
    }),
  ),
  until: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'Tasks that came in before',
      examples: [exampleTime],
    }),
  ),
  text: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 200,
      description:
        "Somewhere in the event's id or source, or in the error's type or message; upper and lower case alike. Reads " +
        'all tasks that the other filters leave: among very many, say since when',
      examples: ['spectrometer'],
    }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1_000, description: '100 unless given', examples: [20] }),
  ),
  cursor: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,18}$',
      description: 'As in the Link header of the page before',
    }),
  ),
})

const { attempts, retries, nextTry, progress, cancelAsked } = task.properties
const { join, filesTaken, bytesTaken, bundles, exceptionTraceback, eventData } = task.properties

const kind = Type.String({
  enum: [...TASK_KINDS],
  description:
    'event: an event came in; join: several came together; retry and dry-run repeat another task',
})

const itemProperties = {
  taskID: Type.String(),
  taskStatus: status,
  state: Type.String({ enum: STATES }),
  kind,
  repeats: Type.Union([Type.String(), Type.Null()], {
    description: 'Of a retry or a dry run: the task that it repeats',
  }),
  source: Type.String(),
  eventID: Type.String(),
  size: count("Bytes of the event's files together, by its own word"),
  ...{ join, attempts, retries, nextTry },
  worker: Type.Union([Type.String(), Type.Null()], {
    description: 'Who runs it, or ran it last: host, process and when that began',
  }),
  ...{ progress, cancelAsked, filesTaken, bytesTaken, bundles },
  exceptionType: textOrNull,
  exceptionValue: textOrNull,
  created: time,
  updated: time,
  started: timeOrNull,
  settled: timeOrNull,
}

const exampleBundle = { bundle: null, jobId: 17, transaction: null, unsure: false }
const exampleItem = {
  ...{ taskID: exampleId, taskStatus: STATUS_LINES.done, state: 'done', kind: 'event' },
  ...{
    repeats: null,
    source: exampleEvent.source,
    eventID: exampleEvent.eventID,
    size: 1_024,
    join: null,
  },
  ...{ attempts: 1, retries: 0, nextTry: null, worker: 'node-3 4711 2019-01-09T08:00:00.000Z' },
  progress: { step: 'upload', done: 1_024, total: 1_024, unit: 'bytes' },
  ...{ cancelAsked: null, filesTaken: 2, bytesTaken: 1_024, bundles: [exampleBundle] },
  ...{ exceptionType: null, exceptionValue: null, created: exampleTime, updated: exampleTime },
  ...{ started: exampleTime, settled: exampleTime },
}

export const taskItems = Type.Array(Type.Object(itemProperties), { examples: [[exampleItem]] })

const member = Type.Object({
  path: Type.String({ description: 'Below data/' }),
  size: Type.Integer(),
  sha1: Type.String(),
})
const members = Type.Array(member)
const exampleMember = {
  path: 'a/foo.txt',
  size: 128,
  sha1: 'f1d2d2f924e986ac86fdf7b36c94bcdf32beec15',
}

const upload = Type.Object({
  number: Type.Integer({ description: 'In the order in which the handler uploads' }),
  state: Type.String({
    enum: ['begun', 'ending', 'sent', 'done'],
    description: 'ending: Ingest may have it; sent: its job is known',
  }),
  bundle: textOrNull,
  jobId: Type.Union([Type.Integer(), Type.Null()]),
  transaction: textOrNull,
  unsure: Type.Boolean(),
  files: countOrNull('How many files the bundle holds; null: not known'),
  bytes: countOrNull('What they have together'),
  members: Type.Union([members, Type.Null()], {
    description: 'Each of them; null: not known, or more than 10 000',
  }),
  updated: time,
})

const side = {
  files: Type.Integer(),
  bytes: Type.Integer(),
  bundle: textOrNull,
}
const contents = Type.Object({ size: Type.Integer(), sha1: Type.String() })
const sameOrNull = Type.Union([Type.Boolean(), Type.Null()], {
  description: 'Null: there is nothing to compare with',
})
const comparedUpload = Type.Object({
  number: Type.Integer(),
  before: Type.Union([
    Type.Object({ ...side, jobId: Type.Union([Type.Integer(), Type.Null()]) }),
    Type.Null(),
  ]),
  now: Type.Union([Type.Object(side), Type.Null()]),
  same: sameOrNull,
  counts: Type.Union(
    [
      Type.Object({
        added: Type.Integer(),
        removed: Type.Integer(),
        changed: Type.Integer(),
        unchanged: Type.Integer(),
      }),
      Type.Null(),
    ],
    { description: 'How many members; null: too many to compare each' },
  ),
  added: Type.Array(member, { description: 'At most 1 000 are listed; so below' }),
  removed: members,
  changed: Type.Array(Type.Object({ path: Type.String(), before: contents, now: contents })),
})

const comparison = Type.Union(
  [
    Type.Object({
      comparedWith: Type.Union([Type.String(), Type.Null()], {
        description: 'The task whose bundles it was held against; null: there is none',
      }),
      same: sameOrNull,
      uploads: Type.Array(comparedUpload),
    }),
    Type.Null(),
  ],
  { description: 'Of a dry run that is done: how its bundles differ from the last ones' },
)

export const taskDetail = Type.Object(
  {
    ...itemProperties,
    exceptionTraceback,
    eventData,
    deliveries: Type.Array(Type.Object({ deliveryId: Type.String(), replay: Type.Integer() }), {
      description: 'Which deliveries of notifications brought it',
    }),
    uploads: Type.Array(upload),
    repeatedBy: Type.Array(Type.Object({ taskID: Type.String(), kind, taskStatus: status }), {
      description: 'Its retries and dry runs, the newest 100',
    }),
    comparison,
  },
  {
    examples: [
      {
        ...exampleItem,
        exceptionTraceback: '',
        eventData: JSON.stringify(exampleEvent),
        deliveries: [{ deliveryId: otherId, replay: 0 }],
        uploads: [
          {
            ...{ number: 1, state: 'done', ...exampleBundle, files: 1, bytes: 128 },
            ...{ members: [exampleMember], updated: exampleTime },
          },
        ],
        repeatedBy: [{ taskID: otherId, kind: 'dry-run', taskStatus: STATUS_LINES.done }],
        comparison: null,
      },
    ],
  },
)

export const repeated = Type.Object(
  {
    taskID: Type.String({ description: 'The task that repeats it' }),
    taskStatus: status,
    repeats: Type.String({ description: 'The task that was asked for' }),
  },
  {
    examples: [{ taskID: otherId, taskStatus: STATUS_LINES.waiting, repeats: exampleId }],
  },
)
