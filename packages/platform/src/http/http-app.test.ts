import { Type } from 'typebox'
import { afterEach, expect, test } from 'vitest'
import { createHealth } from '../telemetry/health.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { recordLog } from '../telemetry/recorded-log.ts'
import type { HttpApp } from './app-type.ts'
import { rawBodyRoutes } from './bodies.ts'
import { errorReply } from './error-reply.ts'
import { createHttpApp } from './http-app.ts'

const open: HttpApp[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()))
})

class NotYoursError extends Error {
  readonly code = 'NOT_YOURS'
}

const subscription = Type.Object(
  {
    name: Type.String({ minLength: 1 }),
    target_url: Type.Union([Type.String(), Type.Null()]),
    version: Type.Optional(Type.Union([Type.Literal('v0.1'), Type.Literal('v1.0')])),
  },
  { additionalProperties: false },
)

/** An app with one route of each kind. */
async function set() {
  const { log, lines, text } = recordLog()
  const [metrics, health] = [createMetrics(), createHealth()]
  const app = await createHttpApp(
    { log, metrics, health },
    {
      title: 'Test',
      version: '1.2.3',
      description: 'a test',
      bodyLimit: 1_000,
      errors: { NOT_YOURS: 403, BAD_EXPRESSION: 400 },
    },
  )
  open.push(app)
  app.post(
    '/subscriptions',
    { schema: { body: subscription, response: { 200: subscription, 400: errorReply } } },
    (request) => request.body,
  )
  app.put('/subscriptions/:id', { schema: { body: subscription } }, (request) => request.body)
  app.delete('/subscriptions/:id', (_request, reply) => reply.send())
  const querystring = Type.Object({
    limit: Type.Optional(Type.Integer({ minimum: 1 })),
    all: Type.Optional(Type.Boolean()),
  })
  app.get('/list', { schema: { querystring } }, (request) => request.query)
  app.get('/fails/:how', (request: { params: unknown }) => {
    throw failures[String(Reflect.get(request.params as object, 'how'))]
  })
  app.post('/any', (request) => ({ body: request.body ?? null }))
  await rawBodyRoutes(app, (scope) => {
    scope.post('/receive', (request, reply) => {
      const body = request.body as Buffer
      reply.send({ bytes: body.toString('hex'), type: request.headers['content-type'] })
    })
  })
  return { app, lines, text, metrics, health }
}

const failures: Record<string, unknown> = {
  ours: new NotYoursError('this is not yours'),
  places: Object.assign(new Error('the expression is wrong'), {
    code: 'BAD_EXPRESSION',
    errors: [{ path: '/jsonpath', message: 'offset 3', secret: 'hunter2' }],
  }),
  bug: new TypeError('cannot read hunter2'),
  client: Object.assign(new Error('policy answered 404 for hunter2'), { statusCode: 404 }),
  system: Object.assign(new Error('connect hunter2'), { code: 'ECONNREFUSED' }),
  text: 'hunter2',
}

test('an error of ours has the status of the table, its message, its code, and the keys in order', async () => {
  const { app } = await set()
  const reply = await app.inject('/fails/ours')
  expect(reply.statusCode).toBe(403)
  expect(reply.headers['content-type']).toBe('application/json; charset=utf-8')
  expect(reply.body).toBe(
    '{"status":"403 Forbidden","message":"this is not yours","traceback":"","version":"1.2.3","code":"NOT_YOURS"}',
  )
})

test('an error of ours may name places, and nothing else of it is told', async () => {
  const { app } = await set()
  const reply = await app.inject('/fails/places')
  expect(reply.json()).toMatchObject({
    status: '400 Bad Request',
    errors: [{ path: '/jsonpath', message: 'offset 3' }],
  })
  expect(reply.body).not.toContain('hunter2')
})

test.each(['bug', 'client', 'system', 'text'])(
  'of an unexpected error (%s) the client learns only the id of the request; the log has it all',
  async (how) => {
    const { app, lines } = await set()
    const reply = await app.inject({ url: `/fails/${how}`, headers: { 'x-request-id': 'abc-1' } })
    expect(reply.json()).toEqual({
      status: '500 Internal Server Error',
      message: 'internal error (request id abc-1)',
      traceback: '',
      version: '1.2.3',
    })
    const line = lines().find(({ msg }) => msg === 'http.failed')
    expect(line).toMatchObject({ level: 'error', requestId: 'abc-1', status: 500 })
    expect(JSON.stringify(line?.err)).toContain('hunter2')
  },
)

test('a request id that could harm a log is replaced', async () => {
  const { app } = await set()
  const reply = await app.inject({ url: '/healthz', headers: { 'x-request-id': 'a b"c' } })
  expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
})

test('every mistake in a body is named at once, with its place', async () => {
  const { app } = await set()
  const reply = await app.inject({
    method: 'POST',
    url: '/subscriptions',
    payload: { target_url: 5, colour: 'red', version: 'v2' },
  })
  expect(reply.statusCode).toBe(400)
  const { message, code, errors } = reply.json()
  expect(code).toBe('VALIDATION')
  expect(errors).toHaveLength(4)
  expect(errors).toEqual(
    expect.arrayContaining([
      { path: '/name', message: 'is required' },
      { path: '/colour', message: 'is not known here' },
      { path: '/target_url', message: 'must be string or null' },
      { path: '/version', message: 'must be "v0.1" or "v1.0"' },
    ]),
  )
  expect(message).toContain('and 1 more')
})

test('nothing in a body is turned into another type, and no default or key is lost', async () => {
  const { app } = await set()
  const payload = { name: 7, target_url: null }
  const reply = await app.inject({ method: 'POST', url: '/subscriptions', payload })
  expect(reply.json().errors).toEqual([{ path: '/name', message: 'must be string' }])
})

test('numbers and flags of a query are read from text, and what is none is refused', async () => {
  const { app } = await set()
  expect((await app.inject('/list?limit=5&all=true')).json()).toEqual({ limit: 5, all: true })
  expect((await app.inject('/list?limit=5x')).json().errors).toEqual([
    { path: 'query/limit', message: 'must be integer' },
  ])
  expect((await app.inject('/list?limit=0')).statusCode).toBe(400)
  expect((await app.inject('/list?limit=')).statusCode).toBe(400)
})

test('a body that is no JSON is 400 with the place', async () => {
  const { app } = await set()
  const headers = { 'content-type': 'application/json' }
  const reply = await app.inject({
    method: 'POST',
    url: '/any',
    headers,
    payload: '{"a": 1,\n"b" 2}',
  })
  expect(reply.json()).toMatchObject({
    status: '400 Bad Request',
    message: 'the body is not JSON: "2" where \':\' should stand at line 2, column 5',
  })
})

test('a body that is not UTF-8, or that reaches for a prototype, is 400', async () => {
  const { app } = await set()
  const headers = { 'content-type': 'application/json' }
  const payload = Buffer.from([0x22, 0xff, 0x22])
  const latin = await app.inject({ method: 'POST', url: '/any', headers, payload })
  expect(latin.json()).toMatchObject({
    status: '400 Bad Request',
    message: expect.stringContaining('UTF-8'),
  })
  const proto = await app.inject({
    method: 'POST',
    url: '/any',
    headers,
    payload: '{"__proto__": {}}',
  })
  expect(proto.statusCode).toBe(400)
})

test('no Content-Type at all is JSON; a wrong one is 415; +json and a charset are right', async () => {
  const { app } = await set()
  const post = (type: string | undefined) =>
    app.inject({
      method: 'POST',
      url: '/any',
      payload: Buffer.from('{"a":1}'),
      headers: type === undefined ? {} : { 'content-type': type },
    })
  for (const type of [undefined, 'application/json', 'application/JSON; charset=utf-8']) {
    expect((await post(type)).json()).toEqual({ body: { a: 1 } })
  }
  expect((await post('application/cloudevents+json; charset=utf-8')).json()).toEqual({
    body: { a: 1 },
  })
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonx',
    ';;',
  ]) {
    expect((await post(type)).json()).toMatchObject({
      status: '415 Unsupported Media Type',
      traceback: '',
      version: '1.2.3',
    })
  }
})

test('no body at all is undefined, with and without a Content-Type', async () => {
  const { app } = await set()
  expect((await app.inject({ method: 'POST', url: '/any' })).json()).toEqual({ body: null })
  const headers = { 'content-type': 'application/json' }
  expect((await app.inject({ method: 'POST', url: '/any', headers })).json()).toEqual({
    body: null,
  })
  const deleted = await app.inject({ method: 'DELETE', url: '/subscriptions/1', headers })
  expect(deleted.statusCode).toBe(200)
  expect(deleted.body).toBe('')
  const missing = await app.inject({ method: 'POST', url: '/subscriptions' })
  expect(missing.json()).toMatchObject({ status: '400 Bad Request', errors: [{ path: '/' }] })
})

test('a body over the limit is 413', async () => {
  const { app } = await set()
  const payload = { name: 'x'.repeat(2_000) }
  for (const url of ['/any', '/receive']) {
    const reply = await app.inject({ method: 'POST', url, payload })
    expect(reply.json()).toMatchObject({ status: '413 Payload Too Large', traceback: '' })
  }
})

test('a route that asks for it gets the bytes as received, whatever the Content-Type', async () => {
  const { app } = await set()
  const payload = Buffer.from([0x7b, 0x00, 0xff, 0x7d])
  for (const type of [
    'application/json',
    'application/cloudevents+json; charset=utf-8',
    'text/plain',
  ]) {
    const headers = { 'content-type': type }
    const reply = await app.inject({ method: 'POST', url: '/receive', payload, headers })
    expect(reply.json()).toEqual({ bytes: '7b00ff7d', type })
  }
  const bare = await app.inject({ method: 'POST', url: '/receive', payload })
  expect(bare.json()).toEqual({ bytes: '7b00ff7d' })
  expect((await app.inject({ method: 'POST', url: '/receive' })).json()).toEqual({
    bytes: '',
  })
})

test('what is not there is 404, and a wrong method is 405 with those that are right, in the one form', async () => {
  const { app } = await set()
  const missing = await app.inject('/nowhere?token=hunter2')
  expect(missing.json()).toEqual({
    status: '404 Not Found',
    message: 'there is nothing at /nowhere',
    traceback: '',
    version: '1.2.3',
  })
  const posted = await app.inject({
    method: 'POST',
    url: '/nowhere',
    payload: 'a=b',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  })
  expect(posted.statusCode).toBe(404)
  const patched = await app.inject({ method: 'PATCH', url: '/subscriptions/5/' })
  expect(patched.json()).toMatchObject({ status: '405 Method Not Allowed', traceback: '' })
  expect(patched.headers.allow).toBe('DELETE, PUT')
})

test('a URL that cannot be decoded is 400 in the one form', async () => {
  const { app } = await set()
  const reply = await app.inject('/subscriptions/%E0%A4%A')
  expect(reply.json()).toMatchObject({ status: '400 Bad Request', traceback: '', version: '1.2.3' })
})

test('a trailing slash makes no difference, and HEAD answers where GET does', async () => {
  const { app } = await set()
  expect((await app.inject('/list/?limit=2')).json()).toEqual({ limit: 2 })
  const head = await app.inject({ method: 'HEAD', url: '/list' })
  expect(head.statusCode).toBe(200)
  expect(head.body).toBe('')
})

test('alive is 200 while the process answers; ready is 503 with the reason until all checks are ok', async () => {
  const { app, health } = await set()
  let wrong: string | undefined = 'connection refused'
  health.add('database', () => wrong)
  expect((await app.inject('/healthz')).json()).toEqual({ alive: true, version: '1.2.3' })
  const unready = await app.inject('/readyz')
  expect(unready.json()).toEqual({
    status: '503 Service Unavailable',
    message: 'not ready: database: connection refused',
    traceback: '',
    version: '1.2.3',
    ready: false,
    checks: { database: 'connection refused' },
  })
  expect(unready.statusCode).toBe(503)
  wrong = undefined
  const ready = await app.inject('/readyz')
  const about = { ready: true, version: '1.2.3' }
  expect(ready.json()).toEqual({ ...about, status: 'ready', checks: { database: 'ok' } })
  health.addOutside('policy', () => 'no answer')
  const degraded = await app.inject('/readyz')
  const checks = { database: 'ok', policy: 'no answer' }
  expect(degraded.json()).toEqual({ ...about, status: 'degraded', checks })
  expect(degraded.statusCode).toBe(200)
  const { body } = await app.inject('/metrics')
  expect(body).toContain(
    'pacifica_check_ok{check="database"} 1\npacifica_check_ok{check="policy"} 0\n',
  )
})

test('requests are counted by the template of their route and their status', async () => {
  const { app } = await set()
  await app.inject({ method: 'DELETE', url: '/subscriptions/1' })
  await app.inject({ method: 'DELETE', url: '/subscriptions/2' })
  await app.inject('/nowhere/1')
  const { body, headers } = await app.inject('/metrics')
  expect(headers['content-type']).toContain('text/plain')
  const count = (labels: string) => `pacifica_http_request_seconds_count{${labels}}`
  expect(body).toContain(`${count('method="DELETE",route="/subscriptions/:id",status="200"')} 2`)
  expect(body).toContain(`${count('method="GET",route="none",status="404"')} 1`)
})

test('the API describes itself, with the error replies, and the page needs nothing from elsewhere', async () => {
  const { app } = await set()
  const described = (await app.inject('/docs/json')).json()
  expect(described.openapi).toBe('3.1.0')
  expect(described.info).toMatchObject({ title: 'Test', version: '1.2.3' })
  expect(Object.keys(described.paths)).toEqual(
    expect.arrayContaining(['/subscriptions', '/list', '/healthz', '/readyz', '/metrics']),
  )
  expect(described.paths['/subscriptions'].post.responses['400']).toBeDefined()
  const page = await app.inject('/docs')
  const policy = String(page.headers['content-security-policy'])
  expect(page.body).not.toMatch(/(src|href)="https?:/)
  expect(policy).toContain("default-src 'self'")
  expect(policy).not.toContain('upgrade-insecure-requests')
  const script = /src="([^"]*bundle.js)"/.exec(page.body)?.[1] ?? ''
  expect((await app.inject(script)).statusCode).toBe(200)
})

test('every reply forbids content sniffing', async () => {
  const { app } = await set()
  for (const url of ['/healthz', '/nowhere', '/fails/bug', '/docs/json']) {
    expect((await app.inject(url)).headers['x-content-type-options']).toBe('nosniff')
  }
})
