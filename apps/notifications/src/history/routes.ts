/** What became of events and deliveries, over HTTP. */
import { Type } from '@fastify/type-provider-typebox'
import { errorReply, type HttpApp } from '@pacifica/platform'
import type { PrismaClient } from '../database/generated/client.ts'
import type { Identify } from '../identity/index.ts'
import { canonicalUuid } from '../subscriptions/check.ts'
import { findEvent, maySeeContent } from './queries.ts'
import { EventReply, eventView } from './view.ts'

export class EventNotFoundError extends Error {
  readonly code = 'EVENT_NOT_FOUND'
  constructor(uuid: string) {
    super(
      `there is no event ${uuid}; POST /receive answers with the id of the event that it stored`,
    )
  }
}

export function historyRoutes(
  app: HttpApp,
  needs: { prisma: PrismaClient; identify: Identify },
): void {
  app.get(
    '/events/:uuid',
    {
      schema: {
        tags: ['events'],
        summary: 'What became of an event',
        description:
          'With the deliveries of your subscriptions, the answer of Policy and every attempt.',
        params: Type.Object({ uuid: Type.String() }),
        response: { 200: EventReply, 403: errorReply, 404: errorReply, 503: errorReply },
      },
    },
    async (request) => {
      const viewer = needs.identify({ remoteAddress: request.ip, headers: request.headers })
      const uuid = canonicalUuid(request.params.uuid)
      const event = uuid && (await findEvent(needs.prisma, uuid, viewer))
      if (!event) throw new EventNotFoundError(request.params.uuid)
      return eventView(event, maySeeContent(event, viewer))
    },
  )
}
