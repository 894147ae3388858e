/** When a request that has ended makes room for another one. */
import { expect, test } from 'vitest'
import { LOOK, quietWorker } from '../../../../test/harness/worker.ts'
import type { ClaimedDelivery, Look } from './claim.ts'
import type { Outcome } from './delivery.ts'

const text = '{"cloudEventsVersion":"0.1","eventType":"t","source":"/s","eventID":"1"}'
const delivery: ClaimedDelivery = {
  ...{ uuid: 'd', event: 'e', subscription: 's', owner: 'ann', host: 'h', targetUrl: 'http://h/' },
  ...{ claim: 1, attempt: 0, replay: 0, version: 'v0.1', extensions: '{}', auth: '{}' },
  ...{ signing: [], retry: null, jsondata: text, digest: 'd', lateMs: 0, ramped: false },
}
const nothing = () => {}

/** One delivery with this outcome; answers what happened, in order. */
async function order(
  outcome: Outcome,
  given: { ramped?: boolean; failing?: boolean; crowded?: boolean } = {},
) {
  const seen: string[] = []
  const { run } = quietWorker([{ ...delivery, ramped: given.ramped ?? false }], {
    async record() {
      seen.push('stored')
      if (given.failing) throw new Error('the disk is full')
      return true
    },
    targetFor: () => ({ send: async () => outcome }),
    inFlight: {
      answered({ host }) {
        seen.push(`answered at ${host}`)
        return given.crowded !== true
      },
      stored: (_, madeRoom) => seen.push(madeRoom ? 'over' : 'room'),
    },
  })
  const errors = await run()
  return [...seen, ...errors.map(() => 'failed')]
}

const ACCEPTED: Outcome = { kind: 'accepted', status: 200, body: '' }
const REFUSED: Outcome = { kind: 'refused', status: 503, body: '', reason: 'answered 503' }

test.each([
  ['what was answered well makes room first', ACCEPTED, {}, ['answered at h', 'stored', 'over']],
  [
    'but not where many are to be stored',
    ACCEPTED,
    { crowded: true },
    ['answered at h', 'stored', 'room'],
  ],
  [
    'what failed does when it is stored: the target may have to be spared',
    REFUSED,
    {},
    ['stored', 'room'],
  ],
  [
    'so does what goes to a target that is slowly tried again',
    ACCEPTED,
    { ramped: true },
    ['stored', 'room'],
  ],
  ['and what cannot be stored', REFUSED, { failing: true }, ['stored', 'room', 'failed']],
])('%s', async (_, outcome, given, expected) => {
  expect(await order(outcome, given)).toEqual(expected)
})

test('a claim that was blocked is made again as soon as there is room', async () => {
  const looks: Look[] = [
    { ...LOOK, claimed: [delivery] },
    { ...LOOK, blocked: true },
  ]
  let answer: (outcome: Outcome) => void = nothing
  const answered = new Promise<Outcome>((resolve) => {
    answer = resolve
  })
  let stored: (ours: boolean) => void = nothing
  let waits = nothing
  const waiting = new Promise<void>((resolve) => {
    waits = resolve
  })
  const { step, slots } = quietWorker([], {
    claim: async () => looks.shift() ?? LOOK,
    record: () => new Promise((resolve) => (stored = resolve)),
    targetFor: () => ({ send: () => answered }),
    deliverBell: {
      async wait(_ms, signal) {
        waits()
        await new Promise((resolve) => signal?.addEventListener('abort', resolve))
      },
    },
  })
  await step()
  const blocked = step()
  await waiting
  answer(ACCEPTED)
  expect(await blocked).toBe(true)
  expect(slots.available, 'its slot is taken until it is stored').toBe(1)
  stored(true)
  await slots.drained()
})
