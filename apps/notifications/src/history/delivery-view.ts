/** Deliveries, policy answers and attempts as the API shows them: schema and the shaping into it. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import type { AttemptRow, DeliveryRow, PolicyRow } from './deliveries.ts'
import { DELIVERY_STATES } from './list-events.ts'
import { iso, OrNull, Time, Uuid } from './parts.ts'
import { TaskReply, taskView } from './task-view.ts'

export { iso, OrNull, Time, Uuid }

const AttemptReply = Type.Object(
  {
    number: Type.Integer({ description: 'From 1; begins anew with each replay.' }),
    replay: Type.Integer({ description: '0 at first, then one more for each retry asked for.' }),
    started: Time,
    duration_ms: Type.Integer(),
    outcome: Type.String({
      description: 'accepted (2xx), refused (any other answer), gone (410), unreachable (none).',
      examples: ['accepted', 'refused', 'gone', 'unreachable'],
    }),
    status_code: OrNull(Type.Integer()),
    body: OrNull(Type.String({ description: "The beginning of the target's reply." })),
    body_truncated: Type.Boolean({ description: 'The reply was longer.' }),
    error: OrNull(Type.String()),
  },
  { description: 'One request that was really sent.' },
)

export const PolicyReply = Type.Object(
  {
    state: Type.String({
      description: '`asking`: no answer yet; asked again without end.',
      examples: ['asking', 'allowed', 'denied'],
    }),
    status_code: OrNull(Type.Integer()),
    body: OrNull(Type.String()),
    error: OrNull(Type.String({ description: 'Why there is no answer.' })),
    asked: Type.Integer({ description: 'How often it was asked in vain so far.' }),
    next_question: OrNull(Time),
    answered: OrNull(Time),
  },
  { description: 'What Pacifica Policy said: may this user see this event?' },
)

/** One of some words. */
export const OneOf = <W extends string>(words: readonly W[], description: string) =>
  Type.Unsafe<W>({ type: 'string', enum: [...words], description, examples: [words.at(-1)] })

export const DeliveryStateName = OneOf(DELIVERY_STATES, 'The guide says what each state means.')

export const DeliveryReply = Type.Object({
  uuid: Uuid,
  event: Uuid,
  received: Type.String({ format: 'date-time', description: 'When the event was accepted.' }),
  subscription: Uuid,
  name: Type.String({ description: "The subscription's name." }),
  target_url: Type.String(),
  user: Type.String(),
  state: DeliveryStateName,
  reason: OrNull(Type.String({ description: 'Why it is in this state.' })),
  replay: Type.Integer({ description: 'How often it was sent anew by request.' }),
  test: Type.Boolean({ description: 'It is a test: POST /eventmatch/UUID/test.' }),
  created: Time,
  settled: OrNull(Time),
  next_attempt: OrNull(Time),
  waits_for: OrNull(
    Type.String({
      description: 'Why it has not gone out although it is due: which cap is reached.',
      examples: ['8 of 8 requests to its target are in flight'],
    }),
  ),
  policy: OrNull(PolicyReply),
  attempts: Type.Array(AttemptReply, { description: 'The newest 50, oldest first.' }),
  tasks: Type.Array(TaskReply, {
    description:
      'Of a delivery to a dispatcher: what it has become there, as far as the dispatcher has told.',
  }),
})

/** Nothing but its time is missing. */
function isScheduled(row: DeliveryRow): boolean {
  return row.state === 'retrying' || (row.state === 'pending' && row.policy?.state === 'allowed')
}

/** Nothing but its turn is missing. */
export function isWaiting(row: DeliveryRow): boolean {
  return row.isDue && isScheduled(row)
}

/** @param waiting why due deliveries wait, by subscription: see deliver/waiting.ts */
export function deliveryView(
  row: DeliveryRow,
  waiting?: ReadonlyMap<string, string>,
): Static<typeof DeliveryReply> {
  return {
    uuid: row.uuid,
    event: row.event,
    received: row.received.toISOString(),
    subscription: row.subscription,
    name: row.name,
    target_url: row.targetUrl,
    user: row.owner,
    state: row.state,
    reason: row.reason,
    replay: row.replay,
    test: row.test,
    created: row.created.toISOString(),
    settled: iso(row.settled),
    next_attempt: isScheduled(row) ? iso(row.due) : null,
    waits_for: isWaiting(row) ? (waiting?.get(row.subscription) ?? null) : null,
    policy: row.policy && policyView(row.policy),
    attempts: row.attempts.map(attemptView),
    tasks: row.tasks.map(taskView),
  }
}

function attemptView(row: AttemptRow): Static<typeof AttemptReply> {
  return {
    number: row.number,
    replay: row.replay,
    started: row.started.toISOString(),
    duration_ms: row.durationMs,
    outcome: row.outcome,
    status_code: row.statusCode,
    body: row.body,
    body_truncated: (row.bodyLength ?? 0) > (row.body?.length ?? 0),
    error: row.error,
  }
}

export function policyView(row: PolicyRow): Static<typeof PolicyReply> {
  return {
    state: row.state,
    status_code: row.statusCode,
    body: row.body,
    error: row.error,
    asked: row.asked,
    next_question: iso(row.due),
    answered: iso(row.answered),
  }
}
