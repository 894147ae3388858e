/** The compliance suite of RFC 9535, and json-p3 as a second opinion where the suite says nothing. */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compile } from './compile/compile.ts'
import { JsonPathSyntaxError } from './errors.ts'
import { evaluate } from './evaluate.ts'
import { parse } from './parse.ts'
import { print } from './syntax/print.ts'

interface Case {
  readonly name: string
  readonly selector: string
  readonly invalid_selector?: boolean
  readonly document?: unknown
  readonly result?: unknown[]
  readonly results?: unknown[][]
}

const file = new URL('../cases/rfc9535-cts.json', import.meta.url)
const { tests } = JSON.parse(readFileSync(file, 'utf8')) as { tests: Case[] }
const options = { dialect: 'rfc9535' } as const

test('the whole suite is there', () => {
  expect(tests).toHaveLength(703)
  expect(tests.filter(({ invalid_selector: invalid }) => invalid)).toHaveLength(247)
})

test.each(tests.map((each) => [each.name, each] as const))('%s', (_name, each) => {
  const { selector, invalid_selector: invalid, document, result, results } = each
  if (invalid) {
    expect(() => parse(selector, options)).toThrow(JsonPathSyntaxError)
    return
  }
  const path = parse(selector, options)
  const expected = (results ?? [result]).map((one) => JSON.stringify(one))
  const canonical = print(path, 'rfc9535')
  expect(expected).toContain(JSON.stringify(evaluate(path, document)))
  expect(expected).toContain(JSON.stringify(compile(selector, options).select(document)))
  expect(expected).toContain(JSON.stringify(compile(canonical, options).select(document)))
  expect(print(parse(canonical, options), 'rfc9535')).toBe(canonical)
  const isEmpty = expected.includes('[]')
  expect(compile(selector, options).test(document)).toBe(!isEmpty)
})
