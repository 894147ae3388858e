/** A recovery as the API shows it: schema and the shaping into it. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { iso, OneOf, OrNull, Time, Uuid } from '../history/delivery-view.ts'
import { REPLAYABLE } from '../history/replay.ts'
import type { RecoverJob } from './job-store.ts'

const State = OneOf(REPLAYABLE, 'A state of deliveries; `retrying` ones are only sent at once.')

export const RecoverBody = Type.Object(
  {
    since: Type.String({
      format: 'date-time',
      description: 'Deliveries of events that were accepted at this time or later.',
    }),
    until: Type.Optional(
      Type.String({ format: 'date-time', description: 'And before this time; now if not given.' }),
    ),
    states: Type.Optional(
      Type.Array(State, {
        minItems: 1,
        maxItems: REPLAYABLE.length,
        uniqueItems: true,
        description: 'Deliveries in these states; exhausted and failed if not given.',
      }),
    ),
  },
  { additionalProperties: false, examples: [{ since: '2026-11-21T00:00:00Z' }] },
)

export const RecoverReply = Type.Object({
  uuid: Uuid,
  subscription: Uuid,
  asked_by: Type.String(),
  state: OneOf(['running', 'done', 'cancelled'] as const, 'Of the job.'),
  reason: OrNull(Type.String({ description: 'Why it was cancelled.' })),
  since: Time,
  until: Time,
  states: Type.Array(State),
  total: Type.Integer({ description: 'Deliveries that it found when it was made.' }),
  replayed: Type.Integer({ description: 'Deliveries that it has sent anew so far.' }),
  skipped: Type.Integer({
    description: 'Deliveries left alone: their expression does not match, or cannot be evaluated.',
  }),
  reached: OrNull(
    Type.String({
      format: 'date-time',
      description: 'It is done with events accepted up to this time.',
    }),
  ),
  waiting: OrNull(Type.String({ description: 'Why it hands out nothing at present.' })),
  created: Time,
  updated: Time,
  finished: OrNull(Time),
})

export function jobView(job: RecoverJob): Static<typeof RecoverReply> {
  return {
    uuid: job.uuid,
    subscription: job.subscription,
    asked_by: job.askedBy,
    state: job.state,
    reason: job.reason,
    since: job.since.toISOString(),
    until: job.until.toISOString(),
    states: [...job.states],
    total: job.total,
    replayed: job.replayed,
    skipped: job.skipped,
    reached: iso(job.reached),
    waiting: job.waiting,
    created: job.created.toISOString(),
    updated: job.updated.toISOString(),
    finished: iso(job.finished),
  }
}
