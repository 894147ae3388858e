/** Events as the API shows them, in a list and alone: schema and the shaping into it. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { DeliveryReply, deliveryView, iso, OneOf, OrNull, Time, Uuid } from './delivery-view.ts'
import type { EventHistory, PythonDelivery } from './find-event.ts'
import { DELIVERY_STATES, EVENT_STATES, type ListedEvent } from './list-events.ts'

const EventStateName = OneOf(
  EVENT_STATES,
  'new: not matched yet; matched; unmatchable: put aside, an administrator can have it matched again.',
)

/** What the list filters by: the event's states and its deliveries', whose names differ. */
export const AnyState = OneOf(
  [...EVENT_STATES, ...DELIVERY_STATES],
  "An event's state (`new`, `matched`, `unmatchable`), or that of one of its deliveries that you see.",
)

const about = {
  uuid: Uuid,
  received: Time,
  state: EventStateName,
  reason: OrNull(Type.String({ description: 'Why it is unmatchable.' })),
  matched: OrNull(Time),
  match_count: OrNull(
    Type.Integer({ description: 'Subscriptions that matched; 0 says that nobody did.' }),
  ),
  readable: Type.Boolean({
    description: 'You may see the event itself: Policy has said yes to you, or you are an admin.',
  }),
  type: OrNull(
    Type.String({ description: 'Of the event, like the next three: null if not readable.' }),
  ),
  source: OrNull(Type.String()),
  id: OrNull(Type.String()),
  time: OrNull(Type.String({ description: 'As the sender wrote it.' })),
}

export const EventSummary = Type.Object({
  ...about,
  deliveries: Type.Record(Type.String(), Type.Integer(), {
    description: 'How many deliveries that you see are in which state.',
    examples: [{ delivered: 2, retrying: 1 }],
  }),
})

const PythonReply = Type.Object(
  {
    uuid: Uuid,
    subscription: Uuid,
    name: Type.String(),
    policy_status_code: Type.String(),
    policy_body: Type.String(),
    target_status_code: OrNull(Type.String()),
    target_body: OrNull(Type.String()),
    created: Time,
  },
  { description: 'A delivery of the Python service that ran here before.' },
)

export const EventReply = Type.Object({
  ...about,
  deliveries: Type.Array(DeliveryReply, { description: 'Those that you see, 1 000 at most.' }),
  more_deliveries: Type.Boolean({
    description: 'There are more; GET /eventmatch/UUID/deliveries has all of a subscription.',
  }),
  python_deliveries: Type.Array(PythonReply),
  event: OrNull(
    Type.Unknown({ description: "The event as received, after policy's yes to you; null before." }),
  ),
})

type Attributes = Pick<ListedEvent, 'type' | 'source' | 'id' | 'time'>
type Described = Omit<ListedEvent, 'micros' | 'deliveries' | 'state'> & { state: string }

function aboutView(row: Described) {
  return {
    uuid: row.uuid,
    received: row.created.toISOString(),
    state: row.state as ListedEvent['state'],
    reason: row.reason,
    matched: iso(row.matched),
    match_count: row.matchCount,
    readable: row.readable,
    ...(row.readable ? attributes(row) : HIDDEN),
  }
}

const HIDDEN: Attributes = { type: null, source: null, id: null, time: null }

function attributes({ type, source, id, time }: Attributes): Attributes {
  return { type, source, id, time }
}

export function summaryView(row: ListedEvent): Static<typeof EventSummary> {
  return { ...aboutView(row), deliveries: row.deliveries }
}

/** @param waiting why due deliveries wait, by subscription */
export function eventView(
  row: EventHistory,
  waiting: ReadonlyMap<string, string>,
): Static<typeof EventReply> {
  return {
    ...aboutView(row),
    deliveries: row.deliveries.map((delivery) => deliveryView(delivery, waiting)),
    more_deliveries: row.more,
    python_deliveries: row.python.map(pythonView),
    event: row.readable ? content(row.jsondata) : null,
  }
}

/** What another service stored may be no JSON: Python writes NaN. */
function content(jsondata: string): unknown {
  try {
    return JSON.parse(jsondata)
  } catch {
    return jsondata
  }
}

function pythonView(row: PythonDelivery): Static<typeof PythonReply> {
  return {
    uuid: row.uuid,
    subscription: row.subscription,
    name: row.name,
    policy_status_code: row.policyStatusCode,
    policy_body: row.policyBody,
    target_status_code: row.targetStatusCode,
    target_body: row.targetBody,
    created: row.created.toISOString(),
  }
}
