/** One step of matching, with stores in memory: what a slow batch does, and what is counted. */
import { expect, test } from 'vitest'
import { silentLog } from '../../../../test/harness/index.ts'
import type { Evaluation } from './live-subscriptions.ts'
import { matchStep } from './match.ts'
import type { ClaimedEvent, MatchedEvent } from './match-store.ts'

const text = '{"cloudEventsVersion":"0.1","eventType":"t","source":"/s","eventID":"1"}'
const anEvent = (uuid: string, jsondata = text): ClaimedEvent => ({
  ...{ uuid, jsondata, claim: 1, begun: 1 },
})

function set(
  events: ClaimedEvent[],
  match: () => Evaluation,
  batchMs = 20_000,
  beforeRecord = () => {},
) {
  const handedBack: string[] = []
  const recorded: MatchedEvent[] = []
  const disabled: string[] = []
  let rings = 0
  const step = matchStep(
    {
      store: {
        claimTogether: async () => events.splice(0),
        claimAlone: async () => [],
        giveUp: async () => [],
        async handBack(given) {
          handedBack.push(...given.map(({ uuid }) => uuid))
        },
        async record(matched) {
          beforeRecord()
          recorded.push(...matched)
          return new Map(matched.map(({ event }) => [event.uuid, 1]))
        },
        countFailures: async ({ run }) => run,
      },
      subscriptions: { refresh: async () => {}, match, size: 1 },
      async disable(subscription) {
        disabled.push(subscription)
        return true
      },
      authorizeBell: { ring: () => (rings += 1) },
      metrics: { matched() {}, unmatchable() {}, expressionFailed() {}, settled() {} },
      log: silentLog,
      abandoning: new AbortController().signal,
    },
    { batch: 100, batchMs, leaseMs: 60_000 },
  )
  return { step, handedBack, recorded, disabled, rings: () => rings }
}

const nothing: Evaluation = { matches: [], recovered: [] }
const failure: Evaluation = {
  matches: [{ subscription: 's', owner: 'ann', disabled: false, failure: 'too much work' }],
  recovered: [],
}

test('what a batch has no time for is handed back, but never all of it', async () => {
  const slow = () => {
    const until = performance.now() + 20
    while (performance.now() < until);
    return nothing
  }
  const { step, handedBack, recorded } = set([anEvent('a'), anEvent('b'), anEvent('c')], slow, 5)
  expect(await step()).toBe(true)
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['a'])
  expect(handedBack).toEqual(['b', 'c'])
})

test('an event that cannot be read is recorded as such, beside the others', async () => {
  const { step, recorded, rings } = set([anEvent('bad', '{}'), anEvent('good')], () => nothing)
  await step()
  expect(recorded.map(({ unreadable }) => unreadable)).toEqual([
    expect.stringContaining('cloudEventsVersion'),
    null,
  ])
  expect(rings()).toBe(1)
})

test('the tenth failure in a row disables, the ninth does not', async () => {
  const events = (count: number) => Array.from({ length: count }, (_, each) => anEvent(`${each}`))
  const nine = set(events(9), () => failure)
  await nine.step()
  expect(nine.disabled).toEqual([])
  const ten = set(events(10), () => failure)
  await ten.step()
  expect(ten.disabled).toEqual(['s'])
})

test('an error of our own is nobody’s failure: the claim is left to run out', async () => {
  const { step, recorded } = set([anEvent('a')], () => {
    throw new TypeError('a bug')
  })
  await expect(step()).rejects.toThrow('a bug')
  expect(recorded).toEqual([])
})

test('what a batch matches is recorded when a database that was away is back, and matched once', async () => {
  let [matchings, tries] = [0, 0]
  const match = () => {
    matchings += 1
    return nothing
  }
  const away = () => {
    tries += 1
    if (tries <= 2) throw Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })
  }
  const { step, recorded } = set([anEvent('a'), anEvent('b')], match, undefined, away)
  expect(await step()).toBe(true)
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['a', 'b'])
  expect({ matchings, tries }).toEqual({ matchings: 2, tries: 3 })
})
