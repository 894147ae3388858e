import type { FastifyInstance } from 'fastify'
import type { Metrics } from '../telemetry/metrics.ts'

const BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30]

/** Counts and times every request by its route's template, never by its path; one log line each, at debug. */
export function observeRequests(app: Pick<FastifyInstance, 'addHook'>, metrics: Metrics): void {
  const seconds = metrics.histogram({
    name: 'pacifica_http_request_seconds',
    help: 'HTTP requests from the first byte received to the last byte sent',
    labels: ['method', 'route', 'status'],
    buckets: BUCKETS_SECONDS,
  })
  app.addHook('onResponse', (request, reply, done) => {
    const { method } = request
    const route = request.routeOptions.url ?? 'none'
    const { statusCode: status, elapsedTime: ms } = reply
    seconds.observe({ method: knownMethod(method), route, status }, ms / 1_000)
    request.log.debug({ method, route, status, ms: Math.round(ms) }, 'http.request')
    done()
  })
}

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Clients may send any word as a method: labels must stay few. */
function knownMethod(method: string): string {
  return METHODS.has(method) ? method : 'other'
}
