/** The schemas of /joins, with examples. */
import { Type } from 'typebox'
import { exampleId, exampleTime, status, textOrNull, time, timeOrNull } from '../tasks/schemas.ts'
import type { JoinState } from './end.ts'

const STATES: readonly JoinState[] = ['open', 'complete', 'expired', 'failed', 'cancelled']
const oneState = STATES.join('|')

export const joinsQuery = Type.Object({
  state: Type.Optional(
    Type.String({
      pattern: `^(${oneState})(,(${oneState}))*$`,
      description: `One of ${STATES.join(', ')}, or some of them with commas between`,
      examples: ['open'],
    }),
  ),
  name: Type.Optional(
    Type.String({ maxLength: 64, description: "The join's name", examples: ['pair'] }),
  ),
  key: Type.Optional(
    Type.String({ maxLength: 500, description: 'The whole key', examples: ['sample-7'] }),
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

export const joinParams = Type.Object({
  id: Type.String({ description: "The join's id, a UUID", examples: [exampleId] }),
})

const slot = Type.Object({
  slot: Type.String(),
  source: textOrNull,
  eventID: textOrNull,
  taskID: Type.Union([Type.String(), Type.Null()], {
    description: 'The task that the event came as',
  }),
  filled: Type.Union([time, Type.Null()], { description: 'Since when; null: it is missing' }),
})

const example = {
  joinID: exampleId,
  name: 'pair',
  key: 'sample-7',
  state: 'open',
  defined: true,
  missing: ['calibration'],
  slots: [
    {
      slot: 'raw',
      source: '/pacifica/metadata/ingest',
      eventID: 'metadata.ingest.67',
      taskID: exampleId,
      filled: exampleTime,
    },
    { slot: 'calibration', source: null, eventID: null, taskID: null, filled: null },
  ],
  atDeadline: 'run',
  deadline: exampleTime,
  created: exampleTime,
  settled: null,
  taskID: null,
  taskStatus: null,
}

const properties = {
  joinID: Type.String(),
  name: Type.String({ description: 'As the dispatcher defines it' }),
  key: Type.String({ description: 'What its events have in common' }),
  state: Type.String({
    enum: [...STATES],
    description:
      'complete: all slots were filled; expired: run at its deadline with what was there; failed: not complete at its ' +
      'deadline, so its events ended as 422. What became of the run is taskStatus',
  }),
  defined: Type.Boolean({
    description:
      'Whether the dispatcher has a join of this name now. An open one that it does not have waits, also beyond its ' +
      'deadline, until it has it again',
  }),
  missing: Type.Array(Type.String(), { description: 'The slots without an event' }),
  slots: Type.Array(slot),
  atDeadline: Type.String({ enum: ['run', 'fail'] }),
  deadline: time,
  created: Type.String({ format: 'date-time', description: 'When its first event was there' }),
  settled: timeOrNull,
  taskID: Type.Union([Type.String(), Type.Null()], {
    description: 'The task that ran on its events, the newest of its retries',
  }),
  taskStatus: Type.Union([status, Type.Null()]),
}

export const join = Type.Object(properties, { examples: [example] })

export const joins = Type.Array(Type.Object(properties), { examples: [[example]] })

export const cancelled = Type.Object(
  { joinID: Type.String(), state: Type.String({ enum: ['cancelled'] }) },
  { examples: [{ joinID: exampleId, state: 'cancelled' }] },
)
