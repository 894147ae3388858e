import { expect, test } from 'vitest'
import { remembered } from './remembered.ts'

test('a text is looked at once, until there are too many of them', () => {
  const asked: string[] = []
  const isLong = remembered(2, (text) => {
    asked.push(text)
    return text.length > 3
  })
  for (const text of ['a', 'long', 'a', 'long']) expect(isLong(text)).toBe(text === 'long')
  expect(asked).toEqual(['a', 'long'])
  expect(isLong('another')).toBe(true)
  expect([isLong('a'), isLong('another')]).toEqual([false, true])
  expect(asked).toEqual(['a', 'long', 'another', 'a'])
})
