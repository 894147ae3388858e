import { defineDispatcher, defineJoin, type JoinedEvents, JoinHandler } from '@pacifica/core'
import { expect, test } from 'vitest'
import { silentLog as log } from '../../../../test/harness/index.ts'
import { PROVENANCE_KEYS } from '../tasks/provenance.ts'
import type { ClaimedTask } from '../tasks/store.ts'
import type { Filled, Place } from './fill.ts'
import { place } from './place.ts'

class Nothing extends JoinHandler {
  override async handle(_joined: JoinedEvents) {}
}

const of = (type: string) => ({ path: `$[?(@["eventType"] = "${type}")]`, key: '$["data"]["k"]' })
const pair = defineJoin(
  {
    ...{ name: 'pair', slots: { raw: of('raw'), dark: of('dark') } },
    ...{ deadline: '1h', atDeadline: 'fail', onDuplicate: 'replace' },
  },
  new Nothing(),
)

interface Given {
  readonly type?: string
  readonly data?: object
  readonly parts?: Partial<ClaimedTask>
  readonly allowLoops?: boolean
  readonly onLate?: 'open' | 'refuse'
  readonly filled?: Filled
}

async function placed(given: Given = {}) {
  const { type = 'raw', data = { k: 7 }, parts = {}, allowLoops = false } = given
  const { filled = { kind: 'joined', join: 'J', did: 'open', complete: false } } = given
  const { onLate = 'open' } = given
  const joins = defineDispatcher({
    name: 'd',
    routes: [],
    joins: [{ ...pair, allowLoops, onLate }],
  }).joins
  const asked: Place[] = []
  const fill = async (_task: ClaimedTask, where: Place) => {
    asked.push(where)
    return filled
  }
  const attributes = { cloudEventsVersion: '0.1', eventType: type, source: '/s', eventID: 'E' }
  const task: ClaimedTask = {
    ...{ id: 'T', claim: 1, attempts: 1, retries: 0, cancelled: false, process: null, trace: null },
    ...{ kind: 'event', repeats: null, size: 0, joinRun: null, ...parts },
    event: JSON.stringify({ ...attributes, data }),
  }
  const never = new AbortController().signal
  const outcome = await place({ joins, dispatcher: 'd', fill, log }, task, never)
  return { outcome, asked }
}

test('an event goes where its paths say, with what the definition says', async () => {
  expect(await placed()).toEqual({
    outcome: { kind: 'joined' },
    asked: [
      {
        ...{ name: 'pair', slot: 'raw', key: '7', slots: ['raw', 'dark'], deadlineMs: 3_600_000 },
        ...{ atDeadline: 'fail', onDuplicate: 'replace', onLate: 'open' },
      },
    ],
  })
})

test.each([
  ['no slot is for', { type: 'other' }],
  ['brings those of a join together', { parts: { joinRun: 'J' } }],
])('an event that %s is for a handler', async (_what, given: Given) => {
  expect(await placed(given)).toEqual({ outcome: undefined, asked: [] })
})

const looped = [
  { destinationTable: 'TransactionKeyValue', key: PROVENANCE_KEYS.chain, value: 'a,d' },
]

test.each([
  ['without a key', { data: { k: null } }, 'JoinKeyError'],
  ['in a dry run', { parts: { kind: 'dry-run' } }, 'JoinDryRunError'],
  ['of its own result', { data: { ...looped, k: 1 } }, 'LoopGuardError'],
] as const)('an event %s is refused', async (_what, given: Given, type) => {
  const { outcome, asked } = await placed(given)
  expect(outcome).toMatchObject({ kind: 'refused', failure: { type, traceback: '' } })
  expect(asked).toEqual([])
})

test('a join that refuses what is late takes it where somebody has retried it', async () => {
  const onLate = 'refuse'
  expect((await placed({ onLate })).asked).toMatchObject([{ onLate }])
  const { asked } = await placed({ onLate, parts: { kind: 'retry' } })
  expect(asked).toMatchObject([{ onLate: 'open' }])
})

test("a join that allows loops takes its dispatcher's own results", async () => {
  const { outcome } = await placed({ data: { ...looped, k: 1 }, allowLoops: true })
  expect(outcome).toEqual({ kind: 'joined' })
})

test.each(['lost', 'cancelled'] as const)('a task that is %s meanwhile is that', async (kind) => {
  expect((await placed({ filled: { kind } })).outcome).toEqual({ kind })
})
