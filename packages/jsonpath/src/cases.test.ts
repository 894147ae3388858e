/** The cases that were checked against jsonpath2 itself; where we differ on purpose, ours. */

import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compile } from './compile/compile.ts'
import { JsonPathSyntaxError } from './errors.ts'
import { evaluate } from './evaluate.ts'
import { parse } from './parse.ts'
import { print } from './syntax/print.ts'

interface Outcome {
  readonly values?: unknown[]
  readonly error?: 'parse' | 'match'
}

interface Case extends Outcome {
  readonly id: string
  readonly expr: string
  readonly data: unknown
  readonly recommended?: Outcome
}

const cases = read('jsonpath2.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)

test('all cases are there', () => {
  expect(cases).toHaveLength(278)
})

test.each(cases)('$id $expr', ({ expr, data, recommended, ...observed }) => {
  const { values, error } = recommended ?? observed
  if (error) {
    expect(() => parse(expr)).toThrow(JsonPathSyntaxError)
    expect(() => compile(expr)).toThrow(JsonPathSyntaxError)
    return
  }
  const path = parse(expr)
  const expected = JSON.stringify(values)
  expect(JSON.stringify(evaluate(path, data))).toBe(expected)
  expect(JSON.stringify(compile(expr).select(data))).toBe(expected)
  expect(JSON.stringify(compile(print(path)).select(data))).toBe(expected)
  expect(compile(expr).test(data)).toBe(values?.length !== 0)
})

describe.each(['example', 'proxymod'])('the real expression of %s', (name) => {
  const compiled = compile(read(`pacifica/${name}.jsonpath2.txt`))

  test('matches its event and no other', () => {
    for (const other of ['example', 'proxymod', 'notifications']) {
      const event: unknown = JSON.parse(read(`pacifica/${other}.event.json`))
      expect(compiled.test(event)).toBe(other === name)
      expect(compiled.select(event)).toEqual(other === name ? [event] : [])
    }
  })

  test('gives no warning', () => {
    expect(compiled.warnings).toEqual([])
  })
})

function read(name: string): string {
  return readFileSync(new URL(`../cases/${name}`, import.meta.url), 'utf8')
}
