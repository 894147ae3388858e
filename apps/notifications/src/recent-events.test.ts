import { Event } from '@pacifica/core'
import { expect, test } from 'vitest'
import { recentEvents } from './recent-events.ts'

const text = (id: string) =>
  JSON.stringify({ cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: id })

test('an event that was accepted a moment ago is not read again', () => {
  const recent = recentEvents(1_000)
  const event = Event.parse(text('a'))
  recent.add('uuid a', event)
  expect(recent.read('uuid a', text('a'))).toBe(event)
})

test('one that nobody knows is read from its text, and known from then on', () => {
  const recent = recentEvents(1_000)
  const event = recent.read('uuid a', text('a'))
  expect(event.id).toBe('a')
  expect(recent.read('uuid a', text('a'))).toBe(event)
})

test('the oldest are forgotten when there are too many, and one that is too long is not kept', () => {
  const most = text('a').length * 2
  const recent = recentEvents(most)
  const [a, b] = [recent.read('uuid a', text('a')), recent.read('uuid b', text('b'))]
  recent.read('uuid c', text('c'))
  recent.read('uuid long', text('l'.repeat(most)))
  expect(recent.read('uuid b', text('b'))).toBe(b)
  expect(recent.read('uuid a', text('a'))).not.toBe(a)
})

test('a text that is no event fails each time', () => {
  const recent = recentEvents(1_000)
  for (const _ of [1, 2]) expect(() => recent.read('uuid', '{}')).toThrow(/cloudEventsVersion/)
})
