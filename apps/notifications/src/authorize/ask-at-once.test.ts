/** Policy asked while an event is in hand: who is answered at once, who is left to the loop, and that no slot is lost. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createSlots } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { silentLog } from '../../../../test/harness/index.ts'
import { type AskAtOnceOptions, askAtOnce } from './ask-at-once.ts'
import type { PolicyAnswer } from './policy-client.ts'

const YES: PolicyAnswer = { kind: 'allowed', status: 200, body: 'yes' }
const NO: PolicyAnswer = { kind: 'denied', status: 412, body: 'no' }
const BAD: PolicyAnswer = { kind: 'unanswered', status: 502, reason: 'policy answered 502' }
const LATE: PolicyAnswer = { kind: 'unanswered', status: null, reason: 'no answer', late: true }
const LONG_MS = 3_600_000
const event = { uuid: 'e', jsondata: '{}' }

interface Asked {
  readonly owner: string
  readonly withinMs: number | undefined
  answer(answer: PolicyAnswer): void
}

/** Policy answers when the test says so, or at once by `policy`. */
function set(
  given: {
    readonly slots?: number
    readonly policy?: (owner: string) => PolicyAnswer
    readonly options?: Partial<AskAtOnceOptions>
  } = {},
) {
  const asked: Asked[] = []
  const [saw, counted]: [PolicyAnswer[], string[]] = [[], []]
  const slots = createSlots(given.slots ?? 8, (error) => {
    throw error
  })
  const [stop, abandon] = [new AbortController(), new AbortController()]
  const ask = askAtOnce(
    {
      policy: {
        ask: (owner, _, signal, withinMs) =>
          new Promise<PolicyAnswer>((resolve) => {
            const silence = () => resolve(BAD)
            signal.addEventListener('abort', silence)
            asked.push({ owner, withinMs, answer: resolve })
            if (given.policy !== undefined) resolve(given.policy(owner))
          }),
        close: async () => {},
      },
      slots,
      watch: { saw: (answer) => saw.push(answer) },
      metrics: { policyAnswered: (kind) => counted.push(kind), authorized() {} },
      ...{ log: silentLog, random: () => 0.5 },
      ...{ stopping: stop.signal, abandoning: abandon.signal },
    },
    {
      ...{ mostUsers: 16, waitMs: LONG_MS, patienceMs: 1_000, restMs: LONG_MS },
      ...given.options,
    },
  )
  return { ask, asked, saw, counted, slots, stop, abandon }
}

const until = (look: () => unknown) => expect.poll(look, { timeout: 60_000 })

test('each user has the answer that Policy gave for that user, a no as well as a yes', async () => {
  const { ask, asked, saw, counted, slots } = set({
    policy: (owner) => (owner === 'ann' ? YES : NO),
  })
  const answers = await ask(event, ['ann', 'bob'])
  expect(answers).toMatchObject([
    { owner: 'ann', answer: YES },
    { owner: 'bob', answer: NO },
  ])
  for (const { at } of answers) expect(at).toBeLessThanOrEqual(performance.now())
  expect(asked.map(({ owner, withinMs }) => [owner, withinMs])).toEqual([
    ['ann', 1_000],
    ['bob', 1_000],
  ])
  expect({ saw, counted }).toEqual({ saw: [YES, NO], counted: ['allowed', 'denied'] })
  expect(slots.available).toBe(8)
})

test('an event that is for too many users is left to the loop, for all of them', async () => {
  const { ask, asked } = set({ policy: () => YES, options: { mostUsers: 2 } })
  expect(await ask(event, ['ann', 'bob', 'cid'])).toEqual([])
  expect(asked).toEqual([])
  expect(await ask(event, ['ann', 'bob'])).toHaveLength(2)
})

test.each([
  [8, 6],
  [4, 3],
  [3, 2],
  [2, 1],
])(
  'of %i slots no more than %i are used, and the next question has the first that is given back',
  async (size, most) => {
    const { ask, asked, slots } = set({ slots: size })
    const owners = Array.from({ length: most + 1 }, (_, each) => `u${each}`)
    const answers = ask(event, owners)
    await until(() => asked.length).toBe(most)
    await nextTurn()
    expect({ asked: asked.length, available: slots.available }).toEqual({
      ...{ asked: most, available: size - most },
    })
    asked[0]?.answer(YES)
    await until(() => asked.length).toBe(most + 1)
    for (const { answer } of asked) answer(YES)
    expect((await answers).map(({ owner }) => owner)).toEqual(owners)
    expect(slots.available).toBe(size)
  },
)

test('a single slot is the loop’s', async () => {
  const { ask, asked } = set({ slots: 1, policy: () => YES })
  expect(await ask(event, ['ann'])).toEqual([])
  expect(asked).toEqual([])
})

test('a question whose turn does not come is left to the loop, and for a while others do not wait', async () => {
  const hurried = set({ policy: () => YES, options: { waitMs: 1 } })
  hurried.slots.take(8)
  expect(await hurried.ask(event, ['ann'])).toEqual([])
  hurried.slots.giveBack(8)
  expect(await hurried.ask(event, ['ann']), 'it rests').toEqual([])

  const { ask, asked, slots } = set({ policy: () => YES, options: { waitMs: 1, restMs: 0 } })
  slots.take(8)
  expect(await ask(event, ['ann'])).toEqual([])
  slots.giveBack(8)
  expect(await ask(event, ['ann'])).toHaveLength(1)
  expect({ asked: asked.length, available: slots.available }).toEqual({ asked: 1, available: 8 })
})

test('when Policy is late its questions are left to the loop, and for a while nothing more is asked', async () => {
  const { ask, asked, saw, counted, slots } = set({ policy: () => LATE })
  expect(await ask(event, ['ann'])).toEqual([])
  expect(await ask(event, ['ann', 'bob'])).toEqual([])
  expect(asked.map(({ owner }) => owner)).toEqual(['ann'])
  expect({ saw, counted }, 'the loop will tell').toEqual({ saw: [], counted: [] })
  expect(slots.available).toBe(8)
})

test('that holds for who waits in line too, and ends', async () => {
  const said = [LATE, YES]
  const policy = () => said.shift() ?? YES
  const one = set({ slots: 2, policy })
  expect(await one.ask(event, ['ann', 'bob'])).toEqual([])
  expect(one.asked).toHaveLength(1)
  expect(one.slots.available).toBe(2)

  const soon = set({ policy: () => (soon.asked.length === 1 ? LATE : YES), options: { restMs: 1 } })
  expect(await soon.ask(event, ['ann'])).toEqual([])
  await until(async () => (await soon.ask(event, ['ann'])).length).toBe(1)
})

test('an error of Policy is an answer that says when to ask again, and is told', async () => {
  const { ask, asked, saw, counted, slots } = set({ policy: () => BAD })
  expect(await ask(event, ['ann'])).toMatchObject([
    { owner: 'ann', answer: BAD, askAgainMs: 1_000 },
  ])
  expect(await ask(event, ['ann'])).toHaveLength(1)
  expect(asked, 'an error is no reason to rest').toHaveLength(2)
  expect({ saw, counted }).toEqual({ saw: [BAD, BAD], counted: ['unanswered', 'unanswered'] })
  expect(slots.available).toBe(8)
})

test('when the service stops nothing more is asked, and what is being asked is waited for', async () => {
  const { ask, asked, slots, stop } = set({ slots: 2 })
  const answers = ask(event, ['ann', 'bob'])
  await until(() => asked.length).toBe(1)
  stop.abort()
  expect(await ask(event, ['cid'])).toEqual([])
  asked[0]?.answer(YES)
  expect((await answers).map(({ owner }) => owner)).toEqual(['ann'])
  expect({ asked: asked.length, available: slots.available }).toEqual({ asked: 1, available: 2 })
})

test('when it has to end at once, what was being asked has no answer, and nobody is blamed', async () => {
  const { ask, asked, saw, slots, abandon } = set()
  const answers = ask(event, ['ann'])
  await until(() => asked.length).toBe(1)
  abandon.abort()
  expect(await answers).toEqual([])
  expect({ saw, available: slots.available }).toEqual({ saw: [], available: 8 })
})
