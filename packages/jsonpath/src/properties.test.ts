/** What must hold for every expression: random ones from the grammar, and mutated real ones. */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compile } from './compile/compile.ts'
import { JsonPathLimitError, JsonPathSyntaxError } from './errors.ts'
import { evaluate } from './evaluate.ts'
import { parse } from './parse.ts'
import { print } from './syntax/print.ts'

const TIMEOUT_MS = 300_000

const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constantFrom<unknown>(null, true, false, -1, 0, 1, 2, 0.5, '', 'a', 'b', 'ab', 'a🚀b'),
    fc.array(tie('value'), { maxLength: 12 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', 'length'), tie('value'), {
      maxKeys: 4,
    }),
  ),
})).value

const space = fc.constantFrom('', '', '', ' ', '\n', '\t ')
const literal = fc.letrec((tie) => ({
  literal: fc.oneof(
    { maxDepth: 2 },
    fc.constantFrom('0', '1', '-1', '2', '1.0', '5e-1', '-0', 'true', 'false', 'null'),
    fc.constantFrom('""', '"a"', '"ab"', '"\\u0061"', '"\\ud83d\\ude80"', '"b\\"\\n"'),
    fc.array(tie('literal'), { maxLength: 3 }).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(fc.constantFrom('"a"', '"b"', '"__proto__"'), tie('literal')), {
        maxLength: 3,
      })
      .map((pairs) => `{${pairs.map((pair) => pair.join(':')).join(',')}}`),
  ),
})).literal

/** Texts of the grammar, written in every way it allows. */
const grammar = fc.letrec<Record<'sub' | 'step' | 'path' | 'operand' | 'expression', string>>(
  (tie) => ({
    sub: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.constantFrom('"a"', '"b"', '*', '0', '1', '-1', '1:', ':2', '::-1', '5:0:-2', '-3::2'),
      tie('expression').map((inner) => `?(${inner})`),
      tie('path'),
      fc.constantFrom('length()', 'keys()', 'values()', 'entries()', 'keys(1)'),
      fc.tuple(fc.constantFrom('charAt', 'substring'), tie('operand')).map(call),
      fc.tuple(fc.constant('substring'), tie('operand'), tie('operand')).map(call),
    ),
    step: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom('.a', '.b', '.c', '.*', '..a', '..*', '.length()', '..length()'),
      fc
        .tuple(
          fc.constantFrom('', '', '', '..'),
          fc.array(tie('sub'), { minLength: 1, maxLength: 3 }),
          space,
        )
        .map(([dots, subs, gap]) => `${dots}${gap}[${subs.join(`${gap},`)}]`),
    ),
    path: fc
      .tuple(fc.constantFrom('@', '@', '$'), fc.array(tie('step'), { maxLength: 3 }))
      .map(([root, steps]) => root + steps.join('')),
    operand: fc.oneof({ depthSize: 'small' }, literal, tie('path'), tie('path')),
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      tie('operand'),
      fc
        .tuple(
          tie('operand'),
          fc.constantFrom('=', '!=', '<', '<=', '>', '>=', ' contains '),
          tie('operand'),
        )
        .map((parts) => parts.join('')),
      fc
        .tuple(tie('expression'), fc.constantFrom(' and ', ' or '), tie('expression'))
        .map((parts) => parts.join('')),
      tie('expression').map((inner) => `not ${inner}`),
      tie('expression').map((inner) => `(${inner})`),
    ),
  }),
)

function call([name, ...args]: string[]): string {
  return `${name}(${args.join(',')})`
}

const expressionText = fc
  .array(grammar.step, { minLength: 1, maxLength: 4 })
  .map((steps) => `$${steps.join('')}`)

function attempt<T>(act: () => T): T | undefined {
  try {
    return act()
  } catch (error) {
    if (error instanceof JsonPathLimitError || error instanceof JsonPathSyntaxError)
      return undefined
    throw error
  }
}

test(
  'the plain evaluator and the compiled expression select the same, and test tells whether they do',
  () => {
    let compared = 0
    fc.assert(
      fc.property(expressionText, value, (text, data) => {
        const compiled = compile(text)
        const plain = attempt(() => evaluate(compiled.path, data))
        if (plain === undefined) return
        compared += 1
        expect(compiled.select(data)).toStrictEqual(plain)
        expect(compiled.test(data)).toBe(plain.length > 0)
      }),
      { numRuns: 5000 },
    )
    expect(compared).toBeGreaterThan(4000)
  },
  TIMEOUT_MS,
)

test(
  'what print writes parses to the same tree',
  () => {
    fc.assert(
      fc.property(expressionText, (text) => {
        const path = parse(text)
        expect(withoutOffsets(parse(print(path)))).toStrictEqual(withoutOffsets(path))
        expect(print(parse(print(path)))).toBe(print(path))
      }),
      { numRuns: 5000 },
    )
  },
  TIMEOUT_MS,
)

test(
  'an arbitrary text either compiles or throws one of the two errors',
  () => {
    const units = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom(...'$@.*[](){}?:,=!<>"\\ \n0123eE-+abnot_&|~é🚀\ud800'), {
          maxLength: 40,
        })
        .map((all) => all.join('')),
    )
    fc.assert(
      fc.property(fc.constantFrom('', '$', '$[?(@.'), units, (start, rest) => {
        for (const root of ['strict', 'optional'] as const) {
          attempt(() => compile(start + rest, { root }).test({ a: [1, 'a'] }))
        }
      }),
      { numRuns: 20_000 },
    )
  },
  TIMEOUT_MS,
)

test(
  'a mutated real expression either compiles or throws an error that points into it',
  () => {
    const real = ['example', 'proxymod'].map((name) => readCase(`${name}.jsonpath2.txt`))
    const event: unknown = JSON.parse(readCase('example.event.json'))
    const mutation = fc.record({
      text: fc.constantFrom(...real),
      at: fc.nat(3000),
      cut: fc.nat(12),
      insert: fc.constantFrom(
        '',
        '"',
        '[',
        ']',
        '(',
        ')',
        '=',
        ' or ',
        '..',
        '@',
        '$',
        'not ',
        '1e5',
        "'",
        '*',
        ',',
      ),
    })
    fc.assert(
      fc.property(mutation, ({ text, at, cut, insert }) => {
        const from = at % text.length
        const mutated = text.slice(0, from) + insert + text.slice(from + cut)
        try {
          compile(mutated).test(event)
        } catch (error) {
          expect(error).toBeInstanceOf(JsonPathSyntaxError)
          const { offset, line, column, expected } = error as JsonPathSyntaxError
          expect(offset).toBeLessThanOrEqual(mutated.length)
          const lines = mutated.slice(0, offset).split('\n')
          expect([line, column]).toEqual([lines.length, lines.at(-1)?.length])
          expect(expected).not.toBe('')
        }
      }),
      { numRuns: 3000 },
    )
  },
  TIMEOUT_MS,
)

function readCase(name: string): string {
  return readFileSync(new URL(`../cases/pacifica/${name}`, import.meta.url), 'utf8')
}

function withoutOffsets(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(withoutOffsets)
  if (typeof node !== 'object' || node === null) return node
  if ('kind' in node && node.kind === 'literal') return { ...node, offset: 0 }
  return Object.fromEntries(
    Object.entries(node)
      .filter(([key]) => key !== 'offset')
      .map(([key, child]) => [key, withoutOffsets(child)]),
  )
}
