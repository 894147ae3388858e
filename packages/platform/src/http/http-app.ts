import {
  type FastifyBaseLogger,
  type FastifyReply,
  type FastifyRequest,
  fastify,
  LogController,
} from 'fastify'
import type { Health } from '../telemetry/health.ts'
import type { Log } from '../telemetry/log.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { allowedMethods } from './allowed-methods.ts'
import { apiDocs } from './api-docs.ts'
import type { ApiSecurity } from './api-security.ts'
import type { HttpApp } from './app-type.ts'
import { readJsonBodies } from './bodies.ts'
import { answerClientError } from './client-error.ts'
import { type ErrorTable, errorBody, type Fault } from './error-reply.ts'
import { faultOf } from './fault.ts'
import { operationRoutes } from './operations.ts'
import { readNumbersInQueries } from './query-numbers.ts'
import { requestIdOf } from './request-id.ts'
import { observeRequests } from './request-metrics.ts'

export interface HttpAppOptions {
  /** Of the API, for its description: 'Pacifica notifications'. */
  readonly title: string
  readonly version: string
  readonly description: string
  /** Bytes; a longer body is 413. */
  readonly bodyLimit: number
  /** The HTTP status of every error that routes may throw, by its code. */
  readonly errors: ErrorTable
  /** What a thrown error is to be told as: another error, or the same. For errors that come with many codes. */
  readonly translate?: (error: unknown) => unknown
  /** Who may ask what, for the description. */
  readonly security?: ApiSecurity
}

/** Close it with `app.close()`; `listen` does so at the end of the process. */
export async function createHttpApp(
  needs: { log: Log; metrics: Metrics; health: Health },
  options: HttpAppOptions,
): Promise<HttpApp> {
  const answer = answerFault(options)
  const app: HttpApp = fastify({
    loggerInstance: needs.log as FastifyBaseLogger,
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: 'requestId',
    }),
    genReqId: requestIdOf,
    bodyLimit: options.bodyLimit,
    requestTimeout: REQUEST_TIMEOUT_MS,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MOST_PARAM_CHARS },
    // While closing, what is already on a connection is still served: Metadata posts once and never again.
    return503OnClosing: false,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: true } },
    frameworkErrors: (error, request, reply) => answer(error, request, reply),
    clientErrorHandler: (error, socket) => answerClientError(error, socket, options.version),
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff')
    done()
  })
  app.setErrorHandler((error, request, reply) => answer(error, request, reply))
  observeRequests(app, needs.metrics)
  answerUnknownRoutes(app, options)
  readJsonBodies(app)
  readNumbersInQueries(app)
  await apiDocs(app, options)
  operationRoutes(app, needs, options)
  return app
}

/** A sender gets this long for a whole request; Fastify's own default is for ever. */
const REQUEST_TIMEOUT_MS = 120_000
const MOST_PARAM_CHARS = 1_024

type AnyReply = Pick<FastifyReply, 'code' | 'headers' | 'type' | 'serializer' | 'send'>

function answerFault(options: HttpAppOptions) {
  const { translate = (error: unknown) => error } = options
  return (thrown: unknown, request: FastifyRequest, reply: AnyReply) => {
    const error = translate(thrown)
    const fault = faultOf(error, options.errors, request.id)
    const { method, url } = request
    const line = { err: error, method, url: withoutQuery(url), status: fault.status }
    if (fault.status >= 500) request.log.error(line, 'http.failed')
    else request.log.debug(line, 'http.refused')
    if (fault.headers !== undefined) reply.headers(fault.headers)
    return sendFault(reply, fault, options.version)
  }
}

function answerUnknownRoutes(app: HttpApp, { version }: HttpAppOptions): void {
  const allowed = allowedMethods(app)
  app.setNotFoundHandler((request, reply) => {
    const path = withoutQuery(request.url)
    const methods = allowed(path)
    if (methods.length === 0) {
      return sendFault(reply, { status: 404, message: `there is nothing at ${path}` }, version)
    }
    reply.header('allow', methods.join(', '))
    const message = `${path} takes ${methods.join(', ')}, not ${request.method}`
    return sendFault(reply, { status: 405, message }, version)
  })
}

/** Past the schemas of the route: an error is told in the same form everywhere. */
function sendFault(reply: AnyReply, fault: Fault, version: string) {
  return reply
    .code(fault.status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBody(fault, version))
}

function withoutQuery(url: string): string {
  return url.split('?', 1)[0] ?? url
}
