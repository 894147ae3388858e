import fc from 'fast-check'
import { expect, test } from 'vitest'
import { deeperThan, elementsOf, memberText, setMembers } from './json-text.ts'

/** JSON text with odd but legal spacing and escapes, and what it parses to. */
const spacing = fc.constantFrom('', ' ', '\n\t ', '\r\n')
const jsonText = fc
  .tuple(fc.json({ maxDepth: 4 }), spacing, spacing)
  .map(([text, before, after]) => before + text + after)
const names = fc.oneof(
  fc.constantFrom('a', 'extensions', '__proto__', 'é', '"', '\\', '', 'constructor'),
  fc.string(),
)
const member = fc.record({
  name: names,
  value: jsonText,
  spaces: fc.array(spacing, { maxLength: 2 }),
})
const objectText = fc.array(member, { maxLength: 8 }).map((members) => {
  const texts = members.map(({ name, value, spaces }) => {
    const [before = '', after = ''] = spaces
    return `${before}${JSON.stringify(name)}${after}:${value}`
  })
  return { text: ` {${texts.join(',')} } `, members }
})

test('the text found for a member is the text that JSON.parse took for it', () => {
  fc.assert(
    fc.property(objectText, ({ text, members }) => {
      for (const { name } of members) {
        const found = memberText(text, name)
        expect(JSON.parse(found as string)).toEqual(
          Object.getOwnPropertyDescriptor(JSON.parse(text), name)?.value,
        )
      }
      expect(memberText(text, 'a name that is not there')).toBeUndefined()
    }),
  )
})

test('members set in the text are set in the object, and the others keep their text and order', () => {
  fc.assert(
    fc.property(objectText, fc.dictionary(names, fc.jsonValue()), ({ text, members }, values) => {
      const texts = new Map(
        Object.entries(values).map(([name, value]) => [name, JSON.stringify(value)]),
      )
      const result = setMembers(text, texts)
      const expected = Object.fromEntries([
        ...Object.entries(JSON.parse(text)),
        ...[...texts].map(([name, value]) => [name, JSON.parse(value)]),
      ])
      expect(JSON.parse(result)).toEqual(expected)
      for (const { name, value } of members) {
        if (!texts.has(name)) expect(result).toContain(value.trim())
      }
      if (texts.size === 0) expect(result).toBe(text)
    }),
  )
})

test('a member that stands twice is set at both places', () => {
  const text = '{"a": 1.0, "b": 2, "\\u0061" : 3}'
  expect(setMembers(text, new Map([['a', '[]']]))).toBe('{"a": [], "b": 2, "\\u0061" : []}')
})

test('an empty object gets its first member', () => {
  expect(setMembers(' { } ', new Map([['a', '1']]))).toBe(' {"a": 1 } ')
})

test('depth counts lists and objects, not what looks like them inside strings', () => {
  expect(deeperThan('[[{}]]', 3)).toBe(false)
  expect(deeperThan('[[{}]]', 2)).toBe(true)
  expect(deeperThan('["[[[[{{{{", "\\"[[[["]', 1)).toBe(false)
  expect(deeperThan('["never closed [[[', 1)).toBe(false)
})

test('depth has nothing to do with how many lists and objects there are', () => {
  const many = `[${'[],{},'.repeat(500)}[]]`
  expect(deeperThan(many, 2)).toBe(false)
  expect(deeperThan(many, 1)).toBe(true)
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
      : 0
  fc.assert(
    fc.property(fc.json({ maxDepth: 5 }), fc.nat(6), (text, limit) => {
      expect(deeperThan(text, limit)).toBe(depthOf(JSON.parse(text)) > limit)
    }),
  )
})

test('the elements of a list are found with their exact text', () => {
  const text = '[ {"a":[1,2]} , "x,]" ,-1e5,null ]'
  const texts = elementsOf(text, 0).map(({ start, end }) => text.slice(start, end))
  expect(texts).toEqual(['{"a":[1,2]}', '"x,]"', '-1e5', 'null'])
  expect(elementsOf('[ ]', 0)).toEqual([])
})
