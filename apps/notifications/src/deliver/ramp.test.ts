import { expect, test } from 'vitest'
import type { Outcome } from './delivery.ts'
import { changesOf, isTrouble } from './ramp.ts'

const ok: Outcome = { kind: 'accepted', status: 200, body: '' }
const refused = (status: number): Outcome => ({ kind: 'refused', status, body: '', reason: 'no' })
const hung: Outcome = { kind: 'unreachable', reason: 'no answer' }

test('no answer, 5xx, 429 and 408 are trouble; an event that is refused is not, nor what was never sent', () => {
  for (const outcome of [hung, refused(500), refused(503), refused(429), refused(408)])
    expect(isTrouble(outcome)).toBe(true)
  const fine: Outcome[] = [
    ...[ok, refused(302), refused(400), refused(404)],
    { kind: 'gone', status: 410, body: '', reason: 'gone' },
    { kind: 'impossible', reason: 'no key' },
    { kind: 'unsent' },
  ]
  for (const outcome of fine) expect(isTrouble(outcome)).toBe(false)
})

test('one failure in a batch outweighs the successes beside it; each subscription is for itself', () => {
  const tried = (subscription: string, ramped: boolean, outcome: Outcome) => ({
    delivery: { subscription, ramped },
    outcome,
  })
  const changes = changesOf([
    tried('a', true, ok),
    tried('a', true, hung),
    tried('b', true, ok),
    tried('b', true, ok),
    tried('c', false, ok),
    tried('d', true, refused(404)),
  ])
  expect(changes).toEqual([
    { subscription: 'a', failed: true, succeeded: 1 },
    { subscription: 'b', failed: false, succeeded: 2 },
  ])
})
