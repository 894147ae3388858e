/** The routes for those who run the service: is it alive, is it ready, what does it count. */
import { Type } from 'typebox'
import type { Health } from '../telemetry/health.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { HttpApp } from './app-type.ts'
import { errorBody, errorReply } from './error-reply.ts'

const checks = Type.Record(Type.String(), Type.String(), {
  description: "'ok', or what is wrong",
})

export function operationRoutes(
  app: HttpApp,
  needs: { health: Health; metrics: Metrics },
  options: { version: string },
): void {
  const { version } = options
  const tags = ['operations']
  app.get(
    '/healthz',
    {
      schema: {
        tags,
        summary: 'Alive: the process answers',
        response: { 200: Type.Object({ alive: Type.Literal(true), version: Type.String() }) },
      },
    },
    () => ({ alive: true as const, version }),
  )
  const status = Type.Union([Type.Literal('ready'), Type.Literal('degraded')], {
    description: 'degraded: a service that this one asks is away, which `checks` names',
    examples: ['ready'],
  })
  const ready = Type.Object({ ready: Type.Literal(true), status, version: Type.String(), checks })
  const notReady = Type.Object({ ...errorReply.properties, ready: Type.Literal(false), checks })
  app.get(
    '/readyz',
    {
      schema: {
        tags,
        summary: 'Ready for work, with all checks',
        description:
          '503 when its own database, tables, loops or consumers do not work. A service that it asks and that is away ' +
          'makes it `degraded`, with 200: the work waits, and taking this process out would not help.',
        response: { 200: ready, 503: notReady },
      },
    },
    async (_request, reply) => {
      const report = await needs.health.report()
      const { status, checks } = report
      if (status !== 'not ready') return { ready: true as const, status, version, checks }
      const wrong = Object.entries(checks).filter(([, result]) => result !== 'ok')
      const message = `not ready: ${wrong.map(([name, result]) => `${name}: ${result}`).join('; ')}`
      const body = errorBody({ status: 503, message }, version)
      return reply.code(503).send({ ...body, ready: false as const, checks })
    },
  )
  needs.metrics.gauge({
    name: 'pacifica_check_ok',
    help: 'The checks of /readyz: 1 is ok, 0 is not',
    labels: ['check'],
    async collect(gauge) {
      const { checks } = await needs.health.report()
      for (const [check, result] of Object.entries(checks))
        gauge.set({ check }, result === 'ok' ? 1 : 0)
    },
  })
  app.get(
    '/metrics',
    {
      schema: { tags, summary: 'Metrics in the Prometheus text format', produces: ['text/plain'] },
    },
    async (_request, reply) => {
      const text = await needs.metrics.text()
      return reply.type(needs.metrics.contentType).send(text)
    },
  )
}
