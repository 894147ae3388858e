/** What backtests decide without a database. */
import { expect, test } from 'vitest'
import { heapKeptBy } from '../../../../test/harness/heap.ts'
import type { PolicyAnswer } from '../authorize/policy-client.ts'
import { beginOf, bucketOf } from './buckets.ts'
import { createGate, type Verdict } from './gate.ts'
import { createPace } from './pace.ts'
import { MOST_IN_A_ROW, silenceOf } from './silence.ts'
import { count, EMPTY, OTHER_REASONS } from './tally.ts'

const verdict = (kind: Verdict['kind'], fresh = true): Verdict => ({
  ...{ kind, fresh, reason: `said ${kind}`, said: '' },
})

test.each([
  ['2026-11-20T10:00:00Z', '2026-11-22T10:00:00Z', 'hour', '2026-11-21T13:00:00.000Z'],
  ['2026-01-01T00:00:00Z', '2026-11-22T10:00:00Z', 'day', '2026-11-21T00:00:00.000Z'],
  ['1970-01-01T00:00:00Z', '2026-11-22T10:00:00Z', 'month', '2026-11-01T00:00:00.000Z'],
] as const)('from %s to %s the bars are of one %s', (since, until, bucket, begin) => {
  expect(bucketOf({ since: new Date(since), until: new Date(until) })).toBe(bucket)
  expect(beginOf(new Date('2026-11-21T13:57:01.5Z'), bucket)).toBe(begin)
})

test('a backtest rests in proportion to what it worked, and never for long', async () => {
  let time = 0
  const rests: number[] = []
  const sleep = async (ms: number) => {
    rests.push(ms)
    time += ms
  }
  const pace = createPace({ now: () => time, sleep }, { share: 25, sliceMs: 25 })
  for (const worked of [10, 10, 20, 5, 100, 60_000]) {
    time += worked
    await pace.breathe()
  }
  expect(rests).toEqual([120, 315, 10_000])
})

test('Policy’s answers are remembered for a while, by user, and its silence never', async () => {
  let time = 0
  let says: PolicyAnswer = { kind: 'denied', status: 412, body: 'no such project' }
  const asked: string[] = []
  const ask = async (user: string) => {
    asked.push(user)
    return says
  }
  const stopping = new AbortController().signal
  const needs = { policy: { ask }, stopping, now: () => time }
  const gate = createGate(needs, { ttlMs: 100, most: 2 })
  const event = { uuid: 'e', jsondata: '{}', readable: false, deniedWith: null }
  expect(gate.known('ann', event)).toBeUndefined()
  const denied = { kind: 'denied', reason: 'Policy answered 412', said: 'no such project' }
  expect(await gate.ask('ann', event)).toEqual({ ...denied, fresh: true })
  expect(gate.known('ann', event)).toEqual({ ...denied, fresh: false })
  expect(gate.known('bob', event)).toBeUndefined()
  expect(gate.known('ann', { ...event, readable: true })).toMatchObject({ kind: 'allowed' })
  expect(gate.known('bob', { ...event, deniedWith: 403 })).toMatchObject({
    ...{ kind: 'denied', reason: 'Policy answered 403' },
  })
  time = 100
  expect(gate.known('ann', event), 'too old').toBeUndefined()
  says = { kind: 'unanswered', status: null, reason: 'policy could not be asked: refused' }
  expect(await gate.ask('ann', event)).toMatchObject({
    ...{ kind: 'unknown', reason: 'Policy could not be asked' },
  })
  expect(gate.known('ann', event)).toBeUndefined()
  says = { kind: 'allowed', status: 200, body: '' }
  for (const uuid of ['1', '2', '3']) await gate.ask('ann', { ...event, uuid })
  const remembered = ['1', '2', '3'].filter((uuid) => gate.known('ann', { ...event, uuid }))
  expect(remembered).toEqual(['2', '3'])
  expect(asked).toHaveLength(5)
})

test('a silent Policy is waited for, then the event is passed over, then it is enough', () => {
  const silent = [verdict('unknown')]
  const at = (silences: number, unansweredInARow = 0) => ({ silences, unansweredInARow })
  expect([0, 1, 2].map((silences) => silenceOf(at(silences), silent, 10))).toMatchObject([
    { kind: 'wait', againInMs: 10 },
    { kind: 'wait', againInMs: 20 },
    { kind: 'wait', againInMs: 40 },
  ])
  expect(silenceOf(at(3), silent, 10)).toBeUndefined()
  expect(silenceOf(at(3, MOST_IN_A_ROW - 1), silent, 10)).toMatchObject({ kind: 'give up' })
  expect(silenceOf(at(0), [...silent, verdict('denied')], 10)).toBeUndefined()
  expect(silenceOf(at(0), [verdict('unknown', false)], 10), 'it was not asked').toBeUndefined()
})

test('unanswered questions are counted in a row, and an answer ends the row', () => {
  const rows = [verdict('unknown'), verdict('unknown'), verdict('allowed', false)]
  const seen = (one: Verdict) => ({ bucket: 'b', verdict: one, evaluated: undefined })
  const silent = rows.map(seen).reduce(count, EMPTY)
  expect(silent).toMatchObject({ looked: 3, unknown: 2, allowed: 1, asked: 2, unansweredInARow: 2 })
  expect(count(silent, seen(verdict('denied')))).toMatchObject({ unansweredInARow: 0, denied: 1 })
})

test('however many reasons there are, few are listed, and none is taken for something else', () => {
  const reasons = ['__proto__', 'constructor', ...Array.from({ length: 30 }, (_, n) => `no ${n}`)]
  const seen = reasons.map((reason) => ({
    ...{ bucket: 'b', evaluated: undefined },
    verdict: { ...verdict('denied'), reason },
  }))
  const tally = JSON.parse(JSON.stringify(seen.reduce(count, EMPTY)))
  expect(tally.reasons).toMatchObject({ constructor: 1, 'no 0': 1, [OTHER_REASONS]: 12 })
  const counted = Object.values(tally.reasons as Record<string, number>)
  expect(counted.reduce((a, b) => a + b)).toBe(reasons.length)
})

test('of what Policy wrote only an excerpt is kept with the answer', async () => {
  const body = () => Buffer.alloc(1024 * 1024, 'x').toString()
  const ask = async (): Promise<PolicyAnswer> => ({ kind: 'denied', status: 412, body: body() })
  const stopping = new AbortController().signal
  const event = (n: number) => ({
    ...{ uuid: `${n}`, jsondata: '{}', readable: false, deniedWith: null },
  })
  const gate = createGate({ policy: { ask }, stopping, now: () => 0 }, { ttlMs: 1, most: 100 })
  const kept = await heapKeptBy(async () => {
    for (let n = 0; n < 60; n += 1) await gate.ask('ann', event(n))
    return gate
  })
  expect(gate.known('ann', event(0))?.said).toBe('x'.repeat(200))
  expect(kept).toBeLessThan(30)
})
