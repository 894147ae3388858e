import { defineDispatcher, Event, NoopEventHandler, type Router } from '@pacifica/core'
import { expect, test } from 'vitest'
import { PROVENANCE_KEYS } from '../tasks/provenance.ts'
import { guardLoops } from './guard-loops.ts'

const own = Event.parse(
  JSON.stringify({
    cloudEventsVersion: '0.1',
    eventType: 'wanted',
    source: '/s',
    eventID: 'E-1',
    data: [
      { destinationTable: 'TransactionKeyValue', key: PROVENANCE_KEYS.chain, value: 'b,called-so' },
    ],
  }),
)

const handler = new NoopEventHandler()
const withRoute = (path: string, options = {}) =>
  defineDispatcher({ name: 'by-its-module', routes: [{ path, handler, ...options }] }).router

/** What becomes of an event about a result of this dispatcher's own. */
async function guarded(router: Pick<Router, 'findRoute'>) {
  let runs = 0
  const isolation = {
    async run() {
      runs += 1
      return { kind: 'done' } as const
    },
  }
  const guard = guardLoops(isolation, { dispatcher: 'called-so', router })
  const outcome = await guard.run({ event: own }, new AbortController().signal)
  return { outcome, runs }
}

test("a dispatcher's own result does not come to its handler", async () => {
  const { outcome, runs } = await guarded(withRoute('$["eventType"]'))
  expect(runs).toBe(0)
  expect(outcome).toEqual({
    kind: 'refused',
    failure: {
      type: 'LoopGuardError',
      value: expect.stringContaining('the chain: b → called-so'),
      traceback: '',
    },
  })
})

test('it does where the route allows it', async () => {
  expect(await guarded(withRoute('$["eventType"]', { allowLoops: true }))).toEqual({
    outcome: { kind: 'done' },
    runs: 1,
  })
})

const undecided = {
  findRoute() {
    throw new Error('too much work')
  },
}
test.each([
  ['without a route', withRoute('$["no such member"]')],
  ['whose route cannot be found out', undecided],
])('an event %s is left to who runs handlers, who says so', async (_what, router) => {
  expect((await guarded(router)).runs).toBe(1)
})

const harmless = Event.parse('{"specversion":"1.0","type":"t","source":"/s","id":"1"}')

test.each([
  ['refused', [{ name: 'pair', allowLoops: false }], 0],
  ['let through where the join allows it', [{ name: 'pair', allowLoops: true }], 1],
  ['left to who runs handlers when it has no such join', [], 1],
])('of a join with one such event all are %s', async (_what, joins, runs) => {
  let ran = 0
  const isolation = {
    async run() {
      ran += 1
      return { kind: 'done' } as const
    },
  }
  const guard = guardLoops(isolation, { dispatcher: 'called-so', router: undecided, joins })
  const joined = { join: 'pair', key: 'k', events: { raw: harmless, dark: own } }
  await guard.run({ event: harmless, joined }, new AbortController().signal)
  expect(ran).toBe(runs)
})
