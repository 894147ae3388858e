import { defineDispatcher, defineJoin, Event, type JoinedEvents, JoinHandler } from '@pacifica/core'
import { expect, test } from 'vitest'
import { runHere } from './run-here.ts'

const event = Event.parse('{"specversion":"1.0","type":"t","source":"/s","id":"1"}')
const given: JoinedEvents[] = []

class Noting extends JoinHandler {
  override async handle(joined: JoinedEvents) {
    given.push(joined)
    if (joined.key === 'bad') throw new TypeError('no luck')
  }
}

const slot = { path: '$', key: '$["id"]' }
const dispatcher = defineDispatcher({
  name: 'd',
  routes: [],
  joins: [
    defineJoin(
      {
        ...{ name: 'pair', slots: { raw: slot, constructor: slot, flat: slot } },
        ...{ deadline: '1h', atDeadline: 'run' },
      },
      new Noting(),
    ),
  ],
})

function run(join: string, key: string, events: Record<string, Event>) {
  const work = { event, joined: { join, key, events } }
  return runHere(dispatcher, work, {} as Parameters<typeof runHere>[2], '/')
}

test("a join's handler gets its events by slot, and is told what is missing", async () => {
  expect(await run('pair', 'k', { flat: event, raw: event, gone: event })).toEqual({ kind: 'done' })
  const [joined] = given
  expect(joined).toMatchObject({ join: 'pair', key: 'k', missing: ['constructor'] })
  expect(Object.entries(joined?.events ?? {})).toEqual([
    ['raw', event],
    ['constructor', undefined],
    ['flat', event],
  ])
})

test('what it throws fails the task', async () => {
  const outcome = await run('pair', 'bad', { raw: event })
  expect(outcome).toMatchObject({ kind: 'threw', failure: { type: 'TypeError', value: 'no luck' } })
})

test('a join that the dispatcher no longer has is said to be that', async () => {
  const failure = { type: 'JoinNotDefinedError', value: expect.stringContaining('join called old') }
  expect(await run('old', 'k', { raw: event })).toMatchObject({ kind: 'unrouted', failure })
})
