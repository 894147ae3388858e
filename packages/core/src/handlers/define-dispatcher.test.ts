import { expect, test } from 'vitest'
import { Event } from '../events/event.ts'
import { DispatcherDefinitionError, defineDispatcher, isDispatcher } from './define-dispatcher.ts'
import { ExceptionEventHandler } from './exception-event-handler.ts'
import { NoopEventHandler } from './noop-event-handler.ts'

test('a dispatcher has its name and its routes in order, compiled', () => {
  const handler = new NoopEventHandler()
  const dispatcher = defineDispatcher({
    name: 'my-dispatcher-2',
    routes: [
      { path: '$["nothing"]', handler: new ExceptionEventHandler() },
      { path: '$["type"]', handler, version: 'v1.0', allowLoops: true },
    ],
  })
  const event = Event.parse('{"specversion":"1.0","type":"t","source":"/s","id":"1"}')
  expect(dispatcher.name).toBe('my-dispatcher-2')
  expect(dispatcher.router.match(event)).toBe(handler)
  expect(dispatcher.router.findRoute(event)?.allowLoops).toBe(true)
  expect(isDispatcher(dispatcher)).toBe(true)
})

test('all mistakes of a definition are reported at once', () => {
  const define = () =>
    defineDispatcher({
      name: 'My Dispatcher',
      routes: [
        { path: '$[', handler: new NoopEventHandler() },
        { path: '$', handler: undefined as unknown as NoopEventHandler },
        { path: '$', handler: new NoopEventHandler(), version: 'v2' as 'v1.0' },
        { path: '$ == 1', handler: new NoopEventHandler() },
        { path: '$', handler: new NoopEventHandler(), allowLoops: 'no' as unknown as boolean },
      ],
    })
  const mistakes = [
    'name must be 1 to 64 of a-z, 0-9 and -, not "My Dispatcher"',
    expect.stringContaining('routes[0].path: '),
    'routes[1].handler must be an EventHandler',
    'routes[2].version must be v0.1 or v1.0, not "v2"',
    expect.stringContaining('routes[3].path: '),
    'routes[4].allowLoops must be true or false, not "no"',
  ]
  expect(define).toThrow(DispatcherDefinitionError)
  expect(define).toThrow(expect.objectContaining({ code: 'DISPATCHER_DEFINITION', mistakes }))
})

test.each(['', 'a'.repeat(65), 'é', 'a.b', 'A'])('%j is no name for a dispatcher', (name) => {
  const routes = [{ path: '$', handler: new NoopEventHandler() }]
  expect(() => defineDispatcher({ name, routes })).toThrow('name must be')
})

test('a dispatcher without routes is a mistake', () => {
  expect(() => defineDispatcher({ name: 'a', routes: [] })).toThrow('routes must list at least one')
})

test.each([undefined, null, 5, {}, { name: 'a' }, { name: 'a', router: {} }])(
  '%j is no dispatcher',
  (value) => {
    expect(isDispatcher(value)).toBe(false)
  },
)
