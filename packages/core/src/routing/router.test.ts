import { JsonPathLimitError, JsonPathSyntaxError } from '@pacifica/jsonpath'
import { expect, test } from 'vitest'
import { Event } from '../events/event.ts'
import { NoopEventHandler } from '../handlers/noop-event-handler.ts'
import { RouteNotFoundRouterError, RouterError } from './errors.ts'
import { Router } from './router.ts'

const OLD = Event.parse(
  '{"cloudEventsVersion":"0.1","eventType":"ingest","source":"/s","eventID":"1","data":[]}',
)
const NEW = Event.parse('{"specversion":"1.0","type":"ingest","source":"/s","id":"1"}')

test('the first route that matches gets the event', () => {
  const router = new Router()
  const [first, second, third] = [1, 2, 3].map(() => new NoopEventHandler())
  router.addRoute('$["nothing"]', first as NoopEventHandler)
  router.addRoute('$[?(@["eventType"] = "ingest")]', second as NoopEventHandler)
  router.addRoute('$', third as NoopEventHandler)
  expect(router.match(OLD)).toBe(second)
  expect(router.findRoute(OLD)).toBe(router.routes[1])
})

test('without a route that matches there is an error with the original message', () => {
  const router = new Router()
  expect(() => router.match(OLD)).toThrow(RouteNotFoundRouterError)
  expect(() => router.match(OLD)).toThrow(RouterError)
  expect(() => router.match(OLD)).toThrow(
    expect.objectContaining({ message: 'route not found', code: 'ROUTE_NOT_FOUND', event: OLD }),
  )
})

test('paths see 0.1 names, whatever was received, unless the route says 1.0', () => {
  const router = new Router()
  router.addRoute('$["type"]', new NoopEventHandler(), { version: 'v1.0' })
  router.addRoute('$["eventType"]', new NoopEventHandler())
  for (const event of [OLD, NEW]) {
    expect(router.routes.map((route) => route.match(event))).toEqual([true, true])
  }
  router.addRoute('$["type"]', new NoopEventHandler())
  expect(router.routes[2]?.match(NEW)).toBe(false)
})

test('a path that is wrong or too long fails when the route is added', () => {
  const router = new Router()
  expect(() => router.addRoute('data', new NoopEventHandler())).toThrow(JsonPathSyntaxError)
  expect(() => router.addRoute(`$${'.a'.repeat(10_000)}`, new NoopEventHandler())).toThrow(
    JsonPathLimitError,
  )
  expect(router.routes).toEqual([])
})
