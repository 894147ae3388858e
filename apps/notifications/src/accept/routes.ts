/** POST /receive: where Pacifica Metadata puts its events. It asks once, so a 200 means that the event is durable. */
import { type Event, eventsFromHttp } from '@pacifica/core'
import { type HttpApp, type Log, rawBodyRoutes } from '@pacifica/platform'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ReceiveGuard } from '../identity/index.ts'
import { admission } from './admission.ts'
import type { AcceptMetrics } from './metrics.ts'
import type { Received, Receiver } from './receive.ts'
import { type Form, formOf, refusalOf, refuseEncoded } from './request.ts'
import { receiveSchema } from './schema.ts'
import { attributesForLog, tellCollision } from './tell.ts'

export interface ReceiveNeeds {
  readonly receiver: Receiver
  readonly guard: ReceiveGuard
  readonly acceptMetrics: AcceptMetrics
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
    async onRequest(request: FastifyRequest, reply: FastifyReply) {
      needs.guard(request)
      refuseEncoded(request.headers)
      await admit(request, reply)
    },
    async onResponse(_request: FastifyRequest, { statusCode: status }: FastifyReply) {
      if (status >= 400) metrics.refused.inc({ status })
    },
    errorHandler(error: Error, { headers }: FastifyRequest) {
      throw refusalOf(error, headers['content-type'], options.maxBody)
    },
  }
  await rawBodyRoutes(app, (scope) => {
    scope.post('/receive', route, async (request, reply) => {
      const events = eventsFromHttp(request.headers, request.body as unknown as Buffer)
      const form = formOf(request.headers)
      const take = async (event: Event) => {
        const began = performance.now()
        const received = await needs.receiver.receive(event)
        count(metrics, event, received, { form, seconds: (performance.now() - began) / 1_000 })
        tell(request.log, metrics, event, received)
        return received.uuid
      }
      const uuids = await Promise.all(events.map(take))
      return reply.type('text/plain').send(uuids.join('\n'))
    })
  })
}

function count(
  metrics: AcceptMetrics,
  event: Event,
  { outcome }: Received,
  how: { form: Form; seconds: number },
): void {
  metrics.accepted.inc({ spec_version: event.specVersion, form: how.form })
  metrics.seconds.observe({ outcome: outcome === 'spooled' ? 'spooled' : 'stored' }, how.seconds)
  if (outcome === 'repeated') metrics.repeated.inc()
  if (outcome === 'spooled') metrics.spooled.inc()
}

function tell(
  log: Pick<Log, 'info' | 'warn'>,
  metrics: AcceptMetrics,
  event: Event,
  received: Received,
): void {
  const { uuid, outcome } = received
  log.info({ event: uuid, ...attributesForLog(event), outcome }, 'event.accepted')
  tellCollision({ log, metrics }, event, received)
}
