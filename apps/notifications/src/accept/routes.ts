/** POST /receive: where Pacifica Metadata puts its events. It asks once, so a 200 means that the event is durable. */
import { Type } from '@fastify/type-provider-typebox'
import { eventsFromHttp } from '@pacifica/core'
import { errorReply, type HttpApp, rawBodyRoutes } from '@pacifica/platform'
import type { ReceiveGuard } from '../identity/index.ts'
import type { Receiver } from './receive.ts'

const schema = {
  tags: ['events'],
  summary: 'Accept an event',
  description:
    'A CloudEvent 0.1 or 1.0: structured JSON, binary (`ce-…` headers), or a batch. Answered once it is stored; ' +
    'the same event (source, id and bytes) again is answered with the first id and delivered once.',
  consumes: [
    'application/json',
    'application/cloudevents+json',
    'application/cloudevents-batch+json',
  ],
  response: {
    200: Type.String({
      description: 'The id of the stored event; for a batch one id a line.',
      examples: ['2f1b1c4e-5a0a-4b53-9d4b-0a4a1c7f7c11'],
    }),
    400: errorReply,
    401: errorReply,
    413: errorReply,
    415: errorReply,
    503: errorReply,
  },
}

export async function receiveRoutes(
  app: HttpApp,
  needs: { receiver: Receiver; guard: ReceiveGuard },
): Promise<void> {
  await rawBodyRoutes(app, (scope) => {
    scope.post('/receive', { schema }, async (request, reply) => {
      needs.guard(request)
      const events = eventsFromHttp(request.headers, request.body as Buffer)
      const accepted = await Promise.all(events.map((event) => needs.receiver.receive(event)))
      for (const [index, { uuid, repeated }] of accepted.entries()) {
        const { source, id, type } = events[index] ?? {}
        request.log.info({ event: uuid, source, id, type, repeated }, 'event.accepted')
      }
      return reply.type('text/plain').send(accepted.map(({ uuid }) => uuid).join('\n'))
    })
  })
}
