/** How request bodies are read: JSON unless said otherwise, received bytes where a route asks for them. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { HttpApp } from './app-type.ts'
import { jsonErrorPlace } from './json-error-place.ts'

export class BodyNotJsonError extends Error {
  readonly code = 'BODY_NOT_JSON'
  readonly statusCode = 400
}

export class BodyMediaTypeError extends Error {
  readonly code = 'BODY_MEDIA_TYPE'
  readonly statusCode = 415
  constructor(given: string) {
    super(`the Content-Type ${given} is not accepted here: send application/json`)
  }
}

type Done = (error: Error | null, body?: unknown) => void
type App = Pick<
  FastifyInstance,
  'addContentTypeParser' | 'addHook' | 'removeAllContentTypeParsers' | 'getDefaultJsonParser'
>

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** No Content-Type at all is JSON, as in the Python services; a wrong one is 415. An empty body is undefined. */
export function readJsonBodies(app: App): void {
  const parseJson = jsonParser(app)
  app.removeAllContentTypeParsers()
  const json = /^application\/(json|[a-z0-9.+-]+\+json)(;|$)/
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, parseJson)
  app.addContentTypeParser(json, { parseAs: 'buffer' }, parseJson)
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (request.is404) done(null)
    else if (request.headers['content-type'] === undefined) parseJson(request, body, done)
    else done(new BodyMediaTypeError(request.headers['content-type']))
  })
}

/**
 * Routes that need the bytes as received: `await rawBodyRoutes(app, (scope) => scope.post('/receive', …))`. In them
 * `request.body` is a Buffer, empty when there is no body, whatever the Content-Type: which are right the route says.
 */
export async function rawBodyRoutes(app: HttpApp, add: (scope: HttpApp) => void): Promise<void> {
  await app.register((scope: HttpApp, _options, done) => {
    readRawBodies(scope)
    add(scope)
    done()
  })
}

/** The same for a scope that one has already. */
export function readRawBodies(scope: App): void {
  scope.removeAllContentTypeParsers()
  const take = (_request: FastifyRequest, body: Buffer, done: Done) => done(null, body)
  // Fastify looks up a type by name faster than it finds that none but `*` fits.
  scope.addContentTypeParser(['application/json', '*'], { parseAs: 'buffer' }, take)
  scope.addHook('preValidation', (request, _reply, done) => {
    request.body ??= Buffer.alloc(0)
    done()
  })
}

function jsonParser(app: App): (request: FastifyRequest, body: Buffer, done: Done) => void {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request, body, done) => {
    if (body.length === 0) return done(null)
    let text: string
    try {
      text = utf8.decode(body)
    } catch (cause) {
      return done(new BodyNotJsonError('the body is not UTF-8 text', { cause }))
    }
    void parse(request, text, (error, value) => {
      if (error === null) return done(null, value)
      const place = jsonErrorPlace(text)
      const message =
        place === undefined
          ? 'the body has a member __proto__ or constructor.prototype: refused'
          : `the body is not JSON: ${place.message} at line ${place.line}, column ${place.column}`
      return done(new BodyNotJsonError(message, { cause: error }))
    })
  }
}
