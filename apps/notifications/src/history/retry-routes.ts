/** POST /events/UUID/retry. */
import { type Static, Type } from '@fastify/type-provider-typebox'
import { type Bell, errorReply, type HttpApp, type Sql } from '@pacifica/platform'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from '../subscriptions/check.ts'
import { BadUuidError } from '../subscriptions/own.ts'
import { DeliveryStateName, OneOf, OrNull, Uuid } from './delivery-view.ts'
import { findContent } from './find-event.ts'
import { REPLAYABLE } from './replay.ts'
import {
  MOST_RETRIED,
  matchEventAgain,
  RETRY_STATES,
  type RetryRequest,
  retryEvent,
} from './retry.ts'
import { EventNotFoundError } from './routes.ts'
import { viewerOf } from './viewer.ts'

/** Matching an event again may deliver to everybody: it is for administrators. */
export class MatchAgainForbiddenError extends Error {
  readonly code = 'MATCH_AGAIN_FORBIDDEN'
  constructor(uuid: string) {
    super(`event ${uuid} could not be matched; an administrator can have it matched again`)
  }
}

export const ReplayStates = Type.Array(
  OneOf(REPLAYABLE, '`retrying` is not sent anew, only sent at once.'),
  { minItems: 1, maxItems: 10, uniqueItems: true },
)

const RetryBody = Type.Object(
  {
    deliveries: Type.Optional(
      Type.Array(Type.String({ maxLength: 64 }), {
        minItems: 1,
        maxItems: MOST_RETRIED,
        description: 'Only these. Without `states`: whatever became of them, delivered ones too.',
      }),
    ),
    states: Type.Optional({
      ...ReplayStates,
      description: `Only deliveries in these states; ${RETRY_STATES.join(', ')} when nothing is said.`,
    }),
  },
  { additionalProperties: false, examples: [{ states: ['exhausted'] }] },
)

const RetryReply = Type.Object({
  event: Uuid,
  matched_again: Type.Boolean({ description: 'It was unmatchable, and is matched again.' }),
  retried: Type.Array(Uuid, { description: 'The deliveries that go out now.' }),
  skipped: Type.Array(
    Type.Object({ delivery: Uuid, state: OrNull(DeliveryStateName), reason: Type.String() }),
    { description: 'Deliveries that do not, each with the reason.' },
  ),
})

export interface RetryNeeds {
  readonly sql: Sql
  readonly identify: Identify
  readonly matchBell: Bell
  readonly authorizeBell: Bell
  readonly deliverBell: Bell
}

export function retryRoute(app: HttpApp, needs: RetryNeeds): void {
  app.post(
    '/events/:uuid/retry',
    {
      schema: {
        tags: ['events'],
        summary: 'Send the deliveries of an event again',
        description:
          `Your subscriptions' deliveries (an admin: everybody's), ${MOST_RETRIED} at once. Each begins anew: the ` +
          'schedule from its start, `replay` one higher, Policy asked again where it said no; earlier attempts stay. ' +
          'An event that is unmatchable is matched again instead, if you are an admin.',
        params: Type.Object({ uuid: Type.String() }),
        body: OrNull(RetryBody),
        response: {
          200: RetryReply,
          400: errorReply,
          401: errorReply,
          403: errorReply,
          404: errorReply,
          415: errorReply,
          503: errorReply,
        },
      },
    },
    async (request) => {
      const viewer = viewerOf(needs.identify, request)
      const uuid = canonicalUuid(request.params.uuid)
      const event = uuid && (await findContent(needs.sql, uuid, viewer))
      if (!event) throw new EventNotFoundError(request.params.uuid)
      if (event.state === 'unmatchable' && !viewer.admin) throw new MatchAgainForbiddenError(uuid)
      const wanted = wantedOf(request.body)
      const matched_again = viewer.admin && (await matchEventAgain(needs.sql, event.uuid))
      const done = await retryEvent(needs.sql, event.uuid, wanted, viewer)
      needs.matchBell.ring()
      needs.authorizeBell.ring()
      needs.deliverBell.ring()
      request.log.info(
        { event: uuid, user: viewer.user, retried: done.retried.length, matched_again },
        'event.retried',
      )
      return replyOf(event.uuid, matched_again, done)
    },
  )
}

function wantedOf(body: Static<typeof RetryBody> | null | undefined): RetryRequest {
  const { deliveries, states } = body ?? {}
  return { deliveries: deliveries?.map(uuidOf), states }
}

/** @throws BadUuidError */
function uuidOf(text: string): string {
  const uuid = canonicalUuid(text)
  if (uuid === undefined) throw new BadUuidError(text)
  return uuid
}

function replyOf(
  event: string,
  matched_again: boolean,
  done: Awaited<ReturnType<typeof retryEvent>>,
): Static<typeof RetryReply> {
  return { event, matched_again, retried: [...done.retried], skipped: [...done.skipped] }
}
