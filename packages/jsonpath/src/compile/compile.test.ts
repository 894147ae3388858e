import { expect, test } from 'vitest'
import { parse } from '../parse.ts'
import { compile } from './compile.ts'

test('a compiled path says what it was made of', () => {
  const compiled = compile(' data ', { root: 'optional' })
  expect(compiled).toMatchObject({ text: ' data ', dialect: 'jsonpath2', warnings: [] })
  expect(compiled.select({ data: [1] })).toEqual([[1]])
  expect(() => compile('data')).toThrow("expected '$'")
})

test('a tree compiles like its text', () => {
  const compiled = compile(parse('$.a[?(@.b or @.c and @.d)]'))
  expect(compiled.text).toBe('$["a"][?((@["b"] or @["c"]) and @["d"])]')
  expect(compiled.test({ a: { b: 1, d: 1 } })).toBe(true)
  expect(compiled.test({ a: { b: 1 } })).toBe(false)
})

test('test stops at the first value and select goes on to the last', () => {
  const once = compile('$[*][?(@ > 1)]', { limits: { baseSteps: 5, maxSteps: 5 } })
  const many = [2, ...Array.from({ length: 100 }, (_, at) => at)]
  expect(once.test(many)).toBe(true)
  expect(() => once.select(many)).toThrow('too much work')
  expect(compile('$[*][?(@ > 1)]').select(many)).toHaveLength(99)
})

test('measuring says what test says, and the steps within which it still can be said', () => {
  const text = '$[*][?(@ > 1)]'
  const value = [0, 1, 2, 3]
  const { matches, steps } = compile(text).measure(value)
  expect(matches).toBe(compile(text).test(value))
  const within = (maxSteps: number) => compile(text, { limits: { maxSteps } })
  expect(within(steps).measure(value)).toEqual({ matches: true, steps })
  expect(() => within(steps - 1).measure(value)).toThrow('too much work')
  expect(compile(text).measure([]).matches).toBe(false)
})

test('one compiled path keeps nothing of one value for the next', () => {
  const compiled = compile('$.rows[*][?(@..k = $.wanted[*])]..k')
  const data = (wanted: unknown[]) => ({ wanted, rows: [{ k: 1 }, { in: { k: 2 } }, { k: 3 }] })
  expect(compiled.select(data([2, 3]))).toEqual([2, 3])
  expect(compiled.select(data([]))).toEqual([])
  expect(compiled.select(data([1]))).toEqual([1])
  expect(compiled.test(data([4]))).toBe(false)
})

test('a path against a path compares every pair, in whatever order the values come', () => {
  for (const a of [
    [1, 2],
    [2, 1],
  ]) {
    expect(compile('$[?(@.a[*] = @.b[*])]').test({ a, b: [2] })).toBe(true)
  }
  const many = Array.from({ length: 40 }, (_, at) => at)
  const one = compile('$[?(@.a[*] = @.b[*])]')
  expect(one.test({ a: [39], b: many })).toBe(true)
  expect(one.test({ a: [40, [1]], b: [...many, [2]] })).toBe(false)
  expect(one.test({ a: [[true]], b: [...many, [1]] })).toBe(true)
  expect(compile('$[?(@.a != @.b[*])]').test({ a: 1, b: Array(20).fill(true) })).toBe(false)
  expect(compile('$[?(@.a < @.b[*])]').test({ a: 38, b: many })).toBe(true)
  expect(compile('$[?($.b[*] >= @.a)]').test({ a: 40, b: many })).toBe(false)
  expect(compile('$[?($.b contains @.a)]').test({ a: 39, b: many })).toBe(true)
})

test('the arguments of a function are taken in every combination, the last varying fastest', () => {
  const data = { s: 'soil', from: [0, 1], to: [2, 9, 'x'] }
  expect(compile('$.s[substring($.from[*], $.to[*])]').select(data)).toEqual([
    'so',
    'soil',
    'o',
    'oil',
  ])
})
