/** POST /receive: where Pacifica Metadata puts its events. It asks once, so a 200 means that the event is durable. */
import { eventsFromHttp } from '@pacifica/core'
import { type HttpApp, rawBodyRoutes, readTrace } from '@pacifica/platform'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ReceiveGuard } from '../identity/index.ts'
import { admission } from './admission.ts'
import { formOf, refusalOf, refuseEncoded } from './request.ts'
import { receiveSchema } from './schema.ts'
import { type TakeNeeds, takeEvent } from './take.ts'

export interface ReceiveNeeds extends TakeNeeds {
  readonly guard: ReceiveGuard
}

export async function receiveRoutes(
  app: HttpApp,
  needs: ReceiveNeeds,
  options: { maxBody: number },
): Promise<void> {
  const { acceptMetrics: metrics } = needs
  const { admit } = admission(options)
  const route = {
    schema: receiveSchema,
    // The body is the event as it was sent; `eventsFromHttp` says what is wrong with it. The schema is for readers.
    validatorCompiler: () => () => true,
    // Before the body is read.
    onRequest(request: FastifyRequest, reply: FastifyReply, done: () => void) {
      needs.guard(request)
      refuseEncoded(request.headers)
      admit(request, reply, done)
    },
    onResponse(_request: FastifyRequest, { statusCode: status }: FastifyReply, done: () => void) {
      if (status >= 400) metrics.refused.inc({ status })
      done()
    },
    errorHandler(error: Error, { headers }: FastifyRequest) {
      throw refusalOf(error, headers['content-type'], options.maxBody)
    },
  }
  await rawBodyRoutes(app, (scope) => {
    scope.post('/receive', route, async (request, reply) => {
      const events = eventsFromHttp(request.headers, request.body as unknown as Buffer)
      const form = formOf(request.headers)
      const how = { form, log: request.log, trace: readTrace(request.headers['traceparent']) }
      reply.type('text/plain')
      const [first] = events
      if (first !== undefined && events.length === 1)
        return (await takeEvent(needs, first, how)).uuid
      const taken = await Promise.all(events.map((event) => takeEvent(needs, event, how)))
      return taken.map(({ uuid }) => uuid).join('\n')
    })
  })
}
