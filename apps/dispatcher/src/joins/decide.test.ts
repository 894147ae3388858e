import { expect, test } from 'vitest'
import { type Asked, decide, type FilledSlot, inOrder, missingOf } from './decide.ts'

const identity = { source: '/s', eventId: 'E-1', digest: 'd' }
const asked: Asked = {
  ...identity,
  slot: 'raw',
  slots: ['raw', 'dark'],
  onDuplicate: 'keep',
  onLate: 'open',
}
const holding = (slot: string, parts: Partial<FilledSlot> = {}): FilledSlot => ({
  ...{ slot, task: `T-${slot}`, ...identity, ...parts },
})
const open = (...filled: FilledSlot[]) => ({ open: { id: 'J', filled }, last: undefined })
const last = { id: 'old', state: 'complete' }

test('the first event of a key opens a join, the last one makes it complete', () => {
  expect(decide(asked, { open: undefined, last: undefined })).toEqual({ kind: 'open' })
  const dark = open(holding('dark', { eventId: 'E-2' }))
  expect(decide(asked, dark)).toEqual({ kind: 'fill', join: 'J', complete: true })
  const three = { ...asked, slots: ['raw', 'dark', 'flat'] }
  expect(decide(three, dark)).toEqual({ kind: 'fill', join: 'J', complete: false })
})

test('the same event again changes nothing', () => {
  expect(decide(asked, open(holding('raw')))).toEqual({ kind: 'again', join: 'J', complete: false })
})

test.each([{ digest: 'x' }, { source: '/x' }, { eventId: 'x' }])(
  'another event (%j) for a slot that is filled is refused, or takes its place',
  (other) => {
    const held = holding('raw', other)
    expect(decide(asked, open(held))).toEqual({ kind: 'taken', join: 'J', held })
    const replacing = { ...asked, onDuplicate: 'replace' } as const
    const replaces = { kind: 'replace', join: 'J', complete: false, held }
    expect(decide(replacing, open(held))).toEqual(replaces)
  },
)

test('after the end of a join its key begins anew, unless the join refuses', () => {
  expect(decide(asked, { open: undefined, last })).toEqual({ kind: 'open' })
  const refusing = { ...asked, onLate: 'refuse' } as const
  const late = { kind: 'late', join: 'old', state: 'complete' }
  expect(decide(refusing, { open: undefined, last })).toEqual(late)
  expect(decide(refusing, { open: undefined, last: undefined })).toEqual({ kind: 'open' })
  expect(decide(refusing, { ...open(), last })).toMatchObject({ kind: 'fill' })
})

test('a slot that the definition no longer has is not waited for', () => {
  expect(missingOf(['a', 'b'], ['b', 'c'])).toEqual(['a'])
  const gone = open(holding('gone', { eventId: 'E-2' }))
  expect(decide({ ...asked, slots: ['raw'] }, gone)).toMatchObject({ complete: true })
})

test('events are in the order of the definition, whenever they came', () => {
  const filled = ['gone', 'dark', 'raw'].map((slot) => holding(slot))
  const slots = inOrder(['raw', 'dark'], filled).map(({ slot }) => slot)
  expect(slots).toEqual(['raw', 'dark', 'gone'])
})
