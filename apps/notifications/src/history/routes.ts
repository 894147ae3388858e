/** What became of events and deliveries, over HTTP. */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply, type HttpApp, type Sql } from '@pacifica/platform'
import type { Caps } from '../deliver/caps.ts'
import { waitingReasons } from '../deliver/waiting.ts'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from '../subscriptions/check.ts'
import { ownSubscription } from '../subscriptions/own.ts'
import type { SubscriptionStore } from '../subscriptions/store.ts'
import { type DeliveryRow, deliveriesOfSubscription } from './deliveries.ts'
import { DeliveryReply, DeliveryStateName, deliveryView, isWaiting } from './delivery-view.ts'
import { findEvent } from './find-event.ts'
import { listEvents } from './list-events.ts'
import { DEFAULT_LIMIT, nextLink, pageHeaders, pageOf, pageQuery, readCursor } from './page.ts'
import { Instant, range } from './times.ts'
import { AnyState, EventReply, EventSummary, eventView, summaryView } from './view.ts'
import { viewerOf } from './viewer.ts'

export class EventNotFoundError extends Error {
  readonly code = 'EVENT_NOT_FOUND'
  constructor(uuid: string) {
    super(
      `there is no event ${uuid}; POST /receive answers with the id of the event that it stored`,
    )
  }
}

export interface HistoryNeeds {
  readonly sql: Sql
  readonly identify: Identify
  readonly subscriptions: SubscriptionStore
  readonly caps: Caps
  /** Undefined when dispatches can go out. */
  readonly publishTrouble?: () => string | undefined
}

/** Where the broker is, and what it said, is for operators: /readyz has it. */
const NO_BROKER = 'there is no connection to the message broker: it goes out when there is'

/** Why those of these deliveries that are due have not gone out. */
function reasons({ sql, caps, publishTrouble }: HistoryNeeds, rows: readonly DeliveryRow[]) {
  const due = rows.filter(isWaiting).map(({ subscription }) => subscription)
  return waitingReasons(sql, due, caps, publishTrouble?.() === undefined ? undefined : NO_BROKER)
}

export function historyRoutes(app: HttpApp, needs: HistoryNeeds): void {
  eventsRoute(app, needs)
  eventRoute(app, needs)
  deliveriesRoute(app, needs)
}

/** An attribute of an event; a text column holds no NUL. */
const Attribute = (description: string, example: string) =>
  Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 8192,
      pattern: '^[^\\u0000]*$',
      description,
      examples: [example],
    }),
  )

const EventsQuery = Type.Object(
  {
    ...pageQuery,
    type: Attribute('Only events of exactly this type.', 'org.pacifica.metadata.ingest'),
    source: Attribute('Only events of exactly this source.', '/pacifica/metadata/ingest'),
    state: Type.Optional(AnyState),
    since: Type.Optional(Instant('Only events accepted at this time or later.')),
    until: Type.Optional(Instant('Only events accepted before this time.')),
  },
  { additionalProperties: false },
)

function eventsRoute(app: HttpApp, needs: HistoryNeeds): void {
  app.get(
    '/events',
    {
      schema: {
        tags: ['events'],
        summary: 'Events, newest first',
        description:
          'Those with a delivery to one of your subscriptions; an admin sees all. `type` and `source` find only ' +
          'events that you may read. All filters given must hold.',
        querystring: EventsQuery,
        response: {
          200: { ...Type.Array(EventSummary), headers: pageHeaders },
          400: errorReply,
          401: errorReply,
          403: errorReply,
          503: errorReply,
        },
      },
    },
    async (request, reply) => {
      const viewer = viewerOf(needs.identify, request)
      const { limit = DEFAULT_LIMIT, cursor, type, source, state, since, until } = request.query
      const times = range({ since, until }, 'query')
      const filter = { type, source, state, ...times, after: readCursor(cursor), limit }
      const page = pageOf(await listEvents(needs.sql, filter, viewer), limit, (row) => row)
      return reply.headers(nextLink(request.query, page.next)).send(page.rows.map(summaryView))
    },
  )
}

function eventRoute(app: HttpApp, needs: HistoryNeeds): void {
  app.get(
    '/events/:uuid',
    {
      schema: {
        tags: ['events'],
        summary: 'What became of an event',
        description:
          'With the deliveries of your subscriptions, the answer of Policy and every attempt.',
        params: Type.Object({ uuid: Type.String({ description: 'What POST /receive answered.' }) }),
        response: {
          200: EventReply,
          401: errorReply,
          403: errorReply,
          404: errorReply,
          503: errorReply,
        },
      },
    },
    async (request) => {
      const viewer = viewerOf(needs.identify, request)
      const uuid = canonicalUuid(request.params.uuid)
      const event = uuid && (await findEvent(needs.sql, uuid, viewer))
      if (!event) throw new EventNotFoundError(request.params.uuid)
      return eventView(event, await reasons(needs, event.deliveries))
    },
  )
}

function deliveriesRoute(app: HttpApp, needs: HistoryNeeds): void {
  const own = ownSubscription({ store: needs.subscriptions, identify: needs.identify })
  app.get(
    '/eventmatch/:uuid/deliveries',
    {
      schema: {
        tags: ['subscriptions'],
        summary: 'The deliveries of a subscription, those of the newest events first',
        params: Type.Object({
          uuid: Type.String({ description: 'Any usual spelling of a uuid.' }),
        }),
        querystring: Type.Object(
          { ...pageQuery, state: Type.Optional(DeliveryStateName) },
          { additionalProperties: false },
        ),
        response: {
          200: { ...Type.Array(DeliveryReply), headers: pageHeaders },
          400: errorReply,
          401: errorReply,
          403: errorReply,
          503: errorReply,
        },
      },
    },
    async (request, reply) => {
      const { subscription } = await own(request, request.params.uuid)
      const { limit = DEFAULT_LIMIT, cursor, state } = request.query
      const filter = { state, after: readCursor(cursor), limit }
      const rows = await deliveriesOfSubscription(needs.sql, subscription.uuid, filter)
      const page = pageOf(rows, limit, ({ micros, event }) => ({ micros, uuid: event }))
      const waiting = await reasons(needs, page.rows)
      return reply
        .headers(nextLink(request.query, page.next))
        .send(page.rows.map((row) => deliveryView(row, waiting)))
    },
  )
}
