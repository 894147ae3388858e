/** A dispatcher's tasks as the API shows them under their delivery: schema and the shaping into it. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { iso, OrNull, Time, Uuid } from './parts.ts'
import type { TaskEventRow, TaskHistory } from './tasks.ts'

const Bundle = Type.Object({
  bundle: OrNull(Type.String({ description: 'Its name.', examples: ['results.tar'] })),
  job_id: OrNull(Type.Integer({ description: "Ingest's job." })),
})

const change = {
  state: Type.String({
    description: "The dispatcher's word: waiting, running, done, failed, …",
    examples: ['waiting', 'running', 'done', 'unrouted', 'failed', 'timed-out'],
  }),
  status: Type.String({
    description: "As the dispatcher's own GET /status/ID says it.",
    examples: ['200 OK', '102 Processing', '500 Internal Server Error'],
  }),
  attempt: Type.Integer({ description: 'How often it had been begun.' }),
}

export const TaskReply = Type.Object(
  {
    task: Uuid,
    dispatcher: Type.String({ examples: ['uppercase'] }),
    replay: Type.Integer({ description: 'Of the delivery, which brought this task.' }),
    ...change,
    created: Time,
    started: OrNull(Time),
    settled: OrNull(Time),
    exception_type: OrNull(Type.String({ examples: ['RouteNotFoundRouterError'] })),
    exception_value: OrNull(Type.String({ examples: ['route not found'] })),
    files_taken: Type.Integer({ description: 'Files that its downloads have brought.' }),
    bytes_taken: Type.Integer(),
    bundles: Type.Array(Bundle, { description: 'What its uploads have made, the newest 100.' }),
    events: Type.Array(Type.Object({ ...change, time: Time }), {
      description: 'What the dispatcher told, oldest first; of a delivery the newest 50.',
    }),
  },
  { description: 'What a dispatcher has made of the delivery.' },
)

export function taskView({ newest, events }: TaskHistory): Static<typeof TaskReply> {
  return {
    task: newest.task,
    dispatcher: newest.dispatcher,
    replay: newest.replay,
    ...changeOf(newest),
    created: newest.created.toISOString(),
    started: iso(newest.started),
    settled: iso(newest.settled),
    exception_type: newest.exceptionType,
    exception_value: newest.exceptionValue,
    files_taken: newest.filesTaken,
    bytes_taken: newest.bytesTaken,
    bundles: newest.bundles.map(({ bundle, jobId }) => ({ bundle, job_id: jobId })),
    events: events.map((row) => ({ ...changeOf(row), time: row.time.toISOString() })),
  }
}

function changeOf({ state, status, attempt }: TaskEventRow) {
  return { state, status, attempt }
}
