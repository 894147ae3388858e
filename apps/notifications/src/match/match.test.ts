/** Matching with stores in memory: what a slow batch does, what is counted, and who takes what. */
import { expect, onTestFinished, test, vi } from 'vitest'
import { silentLog } from '../../../../test/harness/index.ts'
import type { SoonAnswered } from '../authorize/ask-at-once.ts'
import type { Evaluation } from './live-subscriptions.ts'
import { type MatchNeeds, type MatchOptions, matcher } from './match.ts'
import type { ClaimedEvent } from './match-store.ts'
import type { MatchedEvent } from './record-matches.ts'

const text = '{"cloudEventsVersion":"0.1","eventType":"t","source":"/s","eventID":"1"}'
const anEvent = (uuid: string, jsondata = text): ClaimedEvent => ({
  ...{ uuid, jsondata, digest: uuid, trace: null, claim: 1, begun: 1 },
})
const never = new AbortController().signal

interface Given {
  readonly match?: () => Evaluation
  readonly options?: Partial<MatchOptions>
  readonly beforeRecord?: () => void
  readonly alone?: ClaimedEvent[]
  readonly needs?: Partial<MatchNeeds>
}

function set(events: ClaimedEvent[], given: Given = {}) {
  const { match = () => nothing, options, beforeRecord = () => {}, alone = [] } = given
  const handedBack: string[] = []
  const recorded: MatchedEvent[] = []
  const disabled: string[] = []
  let rings = 0
  const matching = matcher(
    {
      store: {
        claimTogether: async (limit) => events.splice(0, limit),
        claimAlone: async () => alone.splice(0, 1),
        giveUp: async () => [],
        async handBack(back) {
          handedBack.push(...back.map(({ uuid }) => uuid))
        },
        async record(matched) {
          beforeRecord()
          recorded.push(...matched)
          const ages = new Map(matched.map(({ event }) => [event.uuid, 1]))
          const asking = matched.some(({ matches }) => matches.length > 0)
          return { ages, claimed: [], denied: 0, asking, released: [], late: false }
        },
        countFailures: async ({ run }) => run,
      },
      subscriptions: { refresh: async () => {}, match, size: 1 },
      async disable(subscription) {
        disabled.push(subscription)
        return true
      },
      follow: async () => {},
      authorizeBell: { ring: () => (rings += 1) },
      deliverBell: { ring() {} },
      metrics: { matched() {}, unmatchable() {}, expressionFailed() {}, settled() {} },
      ...{ log: silentLog, stopping: never, abandoning: never },
      ...given.needs,
    },
    {
      ...{ batch: 100, batchMs: 20_000, leaseMs: 60_000, policyTtlMs: 60_000 },
      inHand: { events: 100, length: 100_000 },
      ...{ patienceMs: 60_000, restMs: 60_000 },
      ...options,
    },
  )
  const step = async () => {
    const more = await matching.step()
    await matching.drained()
    return more
  }
  return { matching, step, handedBack, recorded, disabled, rings: () => rings }
}

const nothing: Evaluation = { matches: [], recovered: [] }
const failure: Evaluation = {
  matches: [{ subscription: 's', owner: 'ann', disabled: false, failure: 'too much work' }],
  recovered: [],
}
const forAnn: Evaluation = {
  matches: [{ subscription: 's', owner: 'ann', disabled: false, failure: undefined }],
  recovered: [],
}

test('what a batch has no time for is handed back, but never all of it', async () => {
  const match = () => {
    const until = performance.now() + 20
    while (performance.now() < until);
    return nothing
  }
  const events = [anEvent('a'), anEvent('b'), anEvent('c')]
  const { step, handedBack, recorded } = set(events, { match, options: { batchMs: 5 } })
  expect(await step()).toBe(true)
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['a'])
  expect(handedBack).toEqual(['b', 'c'])
})

test('an event that cannot be read is recorded as such, beside the others', async () => {
  const { step, recorded } = set([anEvent('bad', '{}'), anEvent('good')])
  await step()
  expect(recorded.map(({ unreadable }) => unreadable)).toEqual([
    expect.stringContaining('cloudEventsVersion'),
    null,
  ])
})

test('the tenth failure in a row disables, the ninth does not', async () => {
  const events = (count: number) => Array.from({ length: count }, (_, each) => anEvent(`${each}`))
  const nine = set(events(9), { match: () => failure })
  await nine.step()
  expect(nine.disabled).toEqual([])
  const ten = set(events(10), { match: () => failure })
  await ten.step()
  expect(ten.disabled).toEqual(['s'])
})

test('an error of our own is nobody’s failure: the claim is left to run out, and others are matched', async () => {
  let calls = 0
  const match = () => {
    calls += 1
    if (calls === 1) throw new TypeError('a bug')
    return nothing
  }
  const { step, recorded, handedBack } = set([anEvent('a'), anEvent('b')], { match })
  await step()
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['b'])
  expect(handedBack).toEqual([])
})

test('what a batch matches is recorded when a database that was away is back, and matched once', async () => {
  let [matchings, tries] = [0, 0]
  const match = () => {
    matchings += 1
    return nothing
  }
  const beforeRecord = () => {
    tries += 1
    if (tries <= 2) throw Object.assign(new Error('connect refused'), { code: 'ECONNREFUSED' })
  }
  const { step, recorded } = set([anEvent('a')], { match, beforeRecord })
  expect(await step()).toBe(true)
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['a'])
  expect({ matchings, tries }).toEqual({ matchings: 1, tries: 3 })
})

test('when the subscriptions cannot be read the claim is left to run out, and nothing stays in hand', async () => {
  const refresh = () => Promise.reject(new Error('away'))
  const subscriptions = { refresh, match: () => nothing, size: 0 }
  const { matching, step, recorded } = set([anEvent('a')], { needs: { subscriptions } })
  await expect(step()).rejects.toThrow('away')
  await expect(matching.take([anEvent('b')])).rejects.toThrow('away')
  expect({ inHand: matching.inHand, recorded }).toEqual({ inHand: 0, recorded: [] })
})

test('new events are taken until there are enough in hand, and not while older ones wait in the table', async () => {
  const answered = signal<SoonAnswered[]>()
  const { matching } = set([anEvent('a'), anEvent('b'), anEvent('c')], {
    match: () => forAnn,
    options: { batch: 2, inHand: { events: 4, length: 100_000 } },
    needs: { askAtOnce: () => answered.given },
  })
  expect(matching.takes).toBe(true)
  await matching.step()
  expect(matching.takes, 'a full batch: there may be more').toBe(false)
  await matching.step()
  expect(matching.takes).toBe(true)
  await matching.take([anEvent('d')])
  expect(matching.takes, 'four in hand').toBe(false)
  answered.give([])
  await matching.drained()
  expect(matching.takes).toBe(true)
})

test('while there is no room new events wait for it a while; after one has waited in vain the next ones do not', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const answered = [signal<SoonAnswered[]>(), signal<SoonAnswered[]>(), signal<SoonAnswered[]>()]
  const stop = new AbortController()
  const { matching } = set([], {
    match: () => forAnn,
    options: { inHand: { events: 1, length: 100_000 }, patienceMs: 50, restMs: 1_000 },
    needs: {
      askAtOnce: ({ uuid }) => (answered[Number(uuid)] ?? signal<SoonAnswered[]>()).given,
      stopping: stop.signal,
    },
  })
  await matching.take([anEvent('0')])
  const soon = matching.takesSoon()
  answered[0]?.give([])
  await vi.advanceTimersByTimeAsync(10)
  expect(await soon, 'there is room in time').toBe(true)

  await matching.take([anEvent('1')])
  const inVain = Promise.all([matching.takesSoon(), matching.takesSoon()])
  await vi.advanceTimersByTimeAsync(50)
  expect(await inVain).toEqual([false, false])
  expect(await matching.takesSoon(), 'no time goes by').toBe(false)

  await vi.advanceTimersByTimeAsync(1_000)
  const again = matching.takesSoon()
  answered[1]?.give([])
  await vi.advanceTimersByTimeAsync(10)
  expect(await again, 'after the rest it waits again').toBe(true)

  await matching.take([anEvent('2')])
  for (const restMs of [1_000, 2_000, 4_000]) {
    const waits = matching.takesSoon()
    await vi.advanceTimersByTimeAsync(50)
    expect(await waits).toBe(false)
    await vi.advanceTimersByTimeAsync(restMs - 1)
    expect(await matching.takesSoon(), 'each rest is twice as long').toBe(false)
    await vi.advanceTimersByTimeAsync(1)
  }
  answered[2]?.give([])
  await vi.advanceTimersByTimeAsync(10)
  expect(await matching.takesSoon(), 'room, without waiting').toBe(true)
  await matching.take([anEvent('3')])
  const once = matching.takesSoon()
  await vi.advanceTimersByTimeAsync(50)
  expect(await once).toBe(false)
  await vi.advanceTimersByTimeAsync(1_000)
  const afterShortRest = matching.takesSoon()
  stop.abort()
  expect(await afterShortRest, 'it waits again after the shortest rest, until somebody stops').toBe(
    false,
  )
  expect(await matching.takesSoon(), 'who stops waits for nothing').toBe(false)
})

test('older events that have been taken from the table make room for new ones', async () => {
  const { matching, step } = set([anEvent('a'), anEvent('b')], { options: { batch: 2 } })
  await step()
  expect(matching.takes, 'a full batch: there may be more').toBe(false)
  const soon = matching.takesSoon()
  await step()
  expect(await soon).toBe(true)
})

test('an event that is matched alone has nothing beside it, from before or new', async () => {
  const answered = signal<SoonAnswered[]>()
  const beside: unknown[] = []
  const { matching, recorded } = set([anEvent('a')], {
    alone: [anEvent('alone')],
    match: () => forAnn,
    needs: {
      async askAtOnce({ uuid }) {
        if (uuid === 'a') return answered.given
        beside.push({ takes: matching.takes, recorded: recorded.map(({ event }) => event.uuid) })
        return []
      },
    },
  })
  const step = matching.step()
  answered.give([])
  await step
  expect(beside).toEqual([{ takes: false, recorded: ['a'] }])
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['a', 'alone'])
  expect(matching.takes).toBe(true)
})

test('failures in a row and what ends them are stored in their order, whoever waits for Policy', async () => {
  const recovery: Evaluation = { matches: forAnn.matches, recovered: ['s'] }
  const both: Evaluation = { matches: [...forAnn.matches, ...failure.matches], recovered: [] }
  const evaluations = [forAnn, both, recovery, failure]
  const answered = signal<SoonAnswered[]>()
  const { matching, recorded } = set([anEvent('a'), anEvent('b'), anEvent('c'), anEvent('d')], {
    match: () => evaluations.shift() ?? nothing,
    needs: { askAtOnce: () => answered.given },
  })
  await matching.step()
  await expect.poll(() => recorded.length, { timeout: 60_000 }).toBe(3)
  answered.give([])
  await matching.drained()
  expect(recorded.map(({ event }) => event.uuid)).toEqual(['b', 'c', 'd', 'a'])
})

test('a yes that is too old when it could be stored is asked for again', async () => {
  const yes = { kind: 'allowed', status: 200, body: '' } as const
  const old = { owner: 'ann', answer: yes, askAgainMs: 0, at: performance.now() - 1_000 }
  const store = (policyTtlMs: number) =>
    set([anEvent('a')], {
      match: () => forAnn,
      options: { policyTtlMs },
      needs: { askAtOnce: async () => [old] },
    })
  const [short, long] = [store(500), store(60_000)]
  await short.step()
  await long.step()
  expect(short.recorded[0]?.answers).toEqual([])
  expect(long.recorded[0]?.answers).toEqual([old])
})

test('slots that were taken for deliveries are given back when the event cannot be stored', async () => {
  const yes = { kind: 'allowed', status: 200, body: '' } as const
  const answer = { owner: 'ann', answer: yes, askAgainMs: 0, at: performance.now() }
  let slots = 3
  const { step } = set([anEvent('a')], {
    match: () => forAnn,
    beforeRecord: () => {
      throw new Error('a constraint')
    },
    needs: {
      askAtOnce: async () => [answer],
      deliverAtOnce: {
        async takeSlots(count) {
          slots -= count
          return count
        },
        send: (_, claim) => claim({} as never, { query: async () => [] }),
        giveBack: (count) => (slots += count),
      },
    },
  })
  await step()
  expect(slots).toBe(3)
})

function signal<T>(): { readonly given: Promise<T>; readonly give: (value: T) => void } {
  let give: (value: T) => void = () => {}
  const given = new Promise<T>((resolve) => {
    give = resolve
  })
  return { given, give: (value) => give(value) }
}
