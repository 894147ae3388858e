/** The schemas of the API, with examples. */
import { Type } from 'typebox'
import { STATUS_LINES } from './task.ts'

export const exampleId = '0b1e7f2a-9c3d-4e5f-8a6b-7c8d9e0f1a2b'
export const exampleTime = '2019-01-09T09:17:26.123Z'
export const exampleEvent = {
  cloudEventsVersion: '0.1',
  eventType: 'org.pacifica.metadata.ingest',
  source: 'http://metadata.pacifica.org/transactions?_id=67',
  eventID: 'metadata.ingest.67',
  eventTime: '2019-01-09T09:17:26',
  extensions: {},
  contentType: 'application/json',
  data: [{ destinationTable: 'Transactions._id', value: 67 }],
}

export const textOrNull = Type.Union([Type.String(), Type.Null()])
export const time = Type.String({ format: 'date-time' })
export const timeOrNull = Type.Union([time, Type.Null()])
const statusLines = [...new Set(Object.values(STATUS_LINES))]

export const event = Type.Object(
  {},
  {
    additionalProperties: true,
    description: 'A CloudEvent: 0.1 as Pacifica Metadata sends it, or 1.0 in structured mode',
    examples: [exampleEvent],
  },
)

export const taskId = Type.String({ description: "The task's id", examples: [exampleId] })

export const status = Type.String({ enum: statusLines, examples: [STATUS_LINES.done] })

export const log = Type.String({
  description: 'Plain text',
  examples: ['── run 1, 2019-01-09T09:17:26.123Z\nreading foo.txt\n'],
})

export const cancelled = Type.Object(
  { taskID: Type.String(), taskStatus: status },
  { examples: [{ taskID: exampleId, taskStatus: STATUS_LINES.cancelled }] },
)

export const taskParams = Type.Object({
  id: Type.String({ description: "The task's id, a UUID", examples: [exampleId] }),
})

export const pageQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, examples: [100] })),
  cursor: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,18}$',
      description: 'As in the Link header of the page before',
    }),
  ),
})

export const task = Type.Object(
  {
    eventType: textOrNull,
    eventTypeVersion: textOrNull,
    source: textOrNull,
    eventID: textOrNull,
    eventTime: textOrNull,
    schemaURL: textOrNull,
    contentType: textOrNull,
    eventData: Type.String({ description: 'The event as it came in: JSON in a string' }),
    data: Type.String({ description: "The event's data: JSON in a string" }),
    taskID: Type.String(),
    taskStatus: status,
    taskApplicationName: Type.String({ description: "The dispatcher's name" }),
    taskName: Type.String(),
    exceptionType: textOrNull,
    exceptionValue: textOrNull,
    exceptionTraceback: Type.String({ description: "Where in the author's code" }),
    created: time,
    updated: time,
    deleted: timeOrNull,
    filesTaken: Type.Integer({
      description: "How many files the handler's downloads have brought",
    }),
    bytesTaken: Type.Integer(),
    bundles: Type.Array(
      Type.Object({
        bundle: textOrNull,
        jobId: Type.Union([Type.Integer(), Type.Null()]),
        transaction: textOrNull,
        unsure: Type.Boolean({
          description:
            'A crash left in doubt whether it had arrived, and it was sent again: it may be in the archive twice',
        }),
      }),
      { description: "What the handler's uploads have made: where it lies, and Ingest's job" },
    ),
    attempts: Type.Integer({ description: 'How often it was begun without an end' }),
    retries: Type.Integer({
      description: 'How often it was put back because of an error that may pass',
    }),
    nextTry: Type.Union([time, Type.Null()], {
      description: 'When it is begun again, while it waits for that',
    }),
    progress: Type.Union(
      [
        Type.Object({
          step: Type.String(),
          done: Type.Optional(Type.Number()),
          total: Type.Optional(Type.Number()),
          unit: Type.Optional(Type.String({ description: 'bytes, or what the handler counts' })),
          said: Type.Optional(
            Type.String({
              description: 'By Cartd of the cart, or by Ingest of the job, while it is waited for',
              examples: ['staging: 3 of 5 files', 'ingest files 40.00000 %'],
            }),
          ),
        }),
        Type.Null(),
      ],
      { description: 'How far the run is, a few seconds old' },
    ),
    cancelAsked: Type.Union([time, Type.Null()], {
      description: 'When somebody asked for it to be cancelled',
    }),
    join: Type.Union([Type.String(), Type.Null()], {
      description:
        'The join that its event has gone into, or whose events it runs on: see GET /joins/ID',
    }),
  },
  {
    examples: [
      {
        eventType: exampleEvent.eventType,
        eventTypeVersion: null,
        source: exampleEvent.source,
        eventID: exampleEvent.eventID,
        eventTime: exampleEvent.eventTime,
        schemaURL: null,
        contentType: exampleEvent.contentType,
        eventData: JSON.stringify(exampleEvent),
        data: JSON.stringify(exampleEvent.data),
        taskID: exampleId,
        taskStatus: STATUS_LINES.done,
        taskApplicationName: 'example',
        taskName: 'example.receive',
        exceptionType: null,
        exceptionValue: null,
        exceptionTraceback: '',
        created: exampleTime,
        updated: exampleTime,
        deleted: null,
        filesTaken: 2,
        bytesTaken: 1_024,
        bundles: [
          {
            bundle: `/srv/bundles/${exampleId}.tar`,
            jobId: null,
            transaction: null,
            unsure: false,
          },
        ],
        attempts: 1,
        retries: 0,
        nextTry: null,
        progress: { step: 'upload', done: 1_024, total: 1_024, unit: 'bytes' },
        cancelAsked: null,
        join: null,
      },
    ],
  },
)

export const taskList = Type.Array(
  Type.Object({ taskID: Type.String(), created: time, updated: time, deleted: timeOrNull }),
  {
    examples: [[{ taskID: exampleId, created: exampleTime, updated: exampleTime, deleted: null }]],
  },
)
