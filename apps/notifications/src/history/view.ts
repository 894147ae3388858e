/** Events, deliveries and attempts as the API shows them: schema and the shaping into it. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import type { DeliveryHistory, EventHistory } from './queries.ts'

const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()])
const Uuid = Type.String({ format: 'uuid' })
const Time = Type.String({ format: 'date-time' })

const AttemptReply = Type.Object({
  number: Type.Integer(),
  replay: Type.Integer(),
  started: Time,
  duration_ms: Type.Integer(),
  outcome: Type.String({ examples: ['accepted', 'refused', 'gone', 'unreachable'] }),
  status_code: OrNull(Type.Integer()),
  body: OrNull(Type.String({ description: "The beginning of the target's reply." })),
  error: OrNull(Type.String()),
})

const PolicyReply = Type.Object({
  state: Type.String({ examples: ['asking', 'allowed', 'denied'] }),
  status_code: OrNull(Type.Integer()),
  body: OrNull(Type.String()),
  error: OrNull(Type.String()),
  answered: OrNull(Time),
})

export const DeliveryReply = Type.Object({
  uuid: Uuid,
  event: Uuid,
  subscription: Uuid,
  name: Type.String(),
  target_url: Type.String(),
  user: Type.String(),
  state: Type.String({
    examples: [
      'pending',
      'denied',
      'delivering',
      'delivered',
      'retrying',
      'exhausted',
      'held',
      'cancelled',
      'failed',
    ],
  }),
  reason: OrNull(Type.String()),
  replay: Type.Integer(),
  created: Time,
  settled: OrNull(Time),
  next_attempt: OrNull(Time),
  attempts: Type.Array(AttemptReply),
})

export const EventReply = Type.Object({
  uuid: Uuid,
  received: Time,
  state: Type.String({ examples: ['new', 'matched', 'unmatchable'] }),
  reason: OrNull(Type.String()),
  matched: OrNull(Time),
  match_count: OrNull(
    Type.Integer({ description: 'Subscriptions that matched; 0 says that nobody did.' }),
  ),
  deliveries: Type.Array(Type.Object({ ...DeliveryReply.properties, policy: OrNull(PolicyReply) })),
  event: OrNull(
    Type.Unknown({ description: "The event as received, after policy's yes to you; null before." }),
  ),
})

/** `content`: whether the viewer may see the event itself. */
export function eventView(row: EventHistory, content: boolean): Static<typeof EventReply> {
  return {
    uuid: row.uuid,
    received: row.created.toISOString(),
    state: row.state,
    reason: row.reason,
    matched: iso(row.matched),
    match_count: row.matchCount,
    deliveries: row.deliveries.map((delivery) => ({
      ...deliveryView(delivery),
      policy: policyView(row.policyAnswers.find((answer) => answer.owner === delivery.owner)),
    })),
    event: content ? JSON.parse(row.jsondata) : null,
  }
}

export function deliveryView(row: DeliveryHistory): Static<typeof DeliveryReply> {
  return {
    uuid: row.uuid,
    event: row.event,
    subscription: row.subscription,
    name: row.eventMatch.name,
    target_url: row.eventMatch.targetUrl,
    user: row.owner,
    state: row.state,
    reason: row.reason,
    replay: row.replay,
    created: row.created.toISOString(),
    settled: iso(row.settled),
    next_attempt: row.state === 'retrying' || row.state === 'pending' ? iso(row.due) : null,
    attempts: row.attempts.map(attemptView),
  }
}

function attemptView(row: DeliveryHistory['attempts'][number]): Static<typeof AttemptReply> {
  return {
    number: row.number,
    replay: row.replay,
    started: row.started.toISOString(),
    duration_ms: row.durationMs,
    outcome: row.outcome,
    status_code: row.statusCode,
    body: row.body,
    error: row.error,
  }
}

function policyView(
  row: EventHistory['policyAnswers'][number] | undefined,
): Static<typeof PolicyReply> | null {
  if (row === undefined) return null
  return {
    state: row.state,
    status_code: row.statusCode,
    body: row.body,
    error: row.error,
    answered: iso(row.answered),
  }
}

function iso(time: Date | null): string | null {
  return time === null ? null : time.toISOString()
}
