/**
 * The index against brute force, on expressions and events mutated from the real ones. The seed of each
 * round is in its message; JSONPATH_ROUNDS=2000 looks further, JSONPATH_SEED=… begins elsewhere.
 */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compile } from '../compile/compile.ts'
import { JsonPathLimitError, JsonPathSyntaxError } from '../errors.ts'
import { SubscriptionIndex } from './subscription-index.ts'
import { SubscriptionScan } from './subscription-scan.ts'

const ROUNDS = Number(process.env['JSONPATH_ROUNDS'] ?? 36)
const SEED = Number(process.env['JSONPATH_SEED'] ?? 1)
const EXPRESSIONS = 250
const EVENTS = 40
const TIMEOUT_MS = 600_000 + ROUNDS * 10_000

type Random = () => number

/** mulberry32 */
function randomFrom(seed: number): Random {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function below(random: Random, most: number): number {
  return Math.floor(random() * most)
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T
}

const pacifica = ['example', 'proxymod', 'notifications'] as const
const realEvents = pacifica.map((name) => read(`pacifica/${name}.event.json`))
const realExpressions = ['example', 'proxymod'].map((name) =>
  read(`pacifica/${name}.jsonpath2.txt`),
)
const oracle = read('jsonpath2.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { expr: string; data: unknown; values?: unknown[] })
  .filter(({ expr }) => isExpression(expr))

const NAMES = [
  ...[
    'data',
    'key',
    'value',
    'destinationTable',
    'eventType',
    'source',
    'eventID',
    'size',
    'a',
    'b',
  ],
  ...[
    'name',
    'subdir',
    'mimetype',
    '',
    '__proto__',
    'constructor',
    'length',
    'été',
    '🚀',
    '0',
    'x',
  ],
]
const VALUES: readonly unknown[] = [
  ...['Files', 'TransactionKeyValue', 'example-key', 'example-value', 'text/plain', '', 'x', '1'],
  ...['org.pacifica.metadata.ingest', '/pacifica/metadata/ingest', '__proto__', 'a🚀b', 'été'],
  ...[0, 1, -1, 2, 0.5, 614, 1e21, 1e308, 2 ** 53, true, false, null],
  ...[[], {}, [1], [true], [0, [false]], { a: 1 }, { a: true, b: 0 }, { b: 0, a: 1 }, [[1], {}]],
]

function literal(random: Random): string {
  if (random() < 0.1)
    return pick(random, ['-0', '-0.0', '1.0', '1e400', '-1e400', '"\\u0041"', '0e5'])
  return JSON.stringify(pick(random, VALUES))
}

function name(random: Random): string {
  return JSON.stringify(pick(random, NAMES))
}

const many = <T>(random: Random, most: number, make: () => T): T[] =>
  Array.from({ length: 1 + below(random, most) }, make)

function sub(random: Random, depth: number): string {
  const kind = random()
  if (kind < 0.5) return name(random)
  if (kind < 0.65) return '*'
  if (kind < 0.72) return pick(random, ['0', '-1', '1:', ':2', '5:0:-1'])
  if (kind < 0.92 && depth > 0) return `?(${condition(random, depth - 1)})`
  if (kind < 0.95 && depth > 0) return path(random, depth - 1)
  return pick(random, ['length()', 'keys()', 'values()', 'entries()', 'charAt(0)', 'substring(1)'])
}

function step(random: Random, depth: number): string {
  const dots = random() < 0.12 ? '..' : ''
  const subs = random() < 0.85 ? 1 : 3
  return `${dots}[${many(random, subs, () => sub(random, depth)).join(',')}]`
}

function path(random: Random, depth: number): string {
  const steps = Array.from({ length: below(random, 4) }, () => step(random, depth))
  return (random() < 0.7 ? '@' : '$') + steps.join('')
}

function operand(random: Random, depth: number): string {
  return random() < 0.5 ? literal(random) : path(random, depth)
}

function condition(random: Random, depth: number): string {
  const kind = random()
  if (depth > 0 && kind < 0.3) {
    const word = pick(random, [' and ', ' and ', ' or '])
    return many(random, 4, () => `(${condition(random, depth - 1)})`).join(word)
  }
  if (depth > 0 && kind < 0.36) return `not (${condition(random, depth - 1)})`
  if (kind < 0.5) return path(random, depth)
  if (kind < 0.85) return `${path(random, depth)} = ${literal(random)}`
  const operator = pick(random, ['=', '!=', '<', '<=', '>', '>=', 'contains'])
  return `${operand(random, depth)} ${operator} ${operand(random, depth)}`
}

function freeExpression(random: Random): string {
  const steps = many(random, 3, () => step(random, 3)).join('')
  return random() < 0.5 ? `$${steps}` : `$[?(${condition(random, 3)})]`
}

/** Some token of a real expression becomes another, or a part of it alone. */
function mutatedExpression(random: Random): string {
  let text = pick(random, [...realExpressions, ...realExpressions, pick(random, oracle).expr])
  for (let left = below(random, 6); left > 0; left -= 1) text = mutate(random, text)
  return text
}

function mutate(random: Random, text: string): string {
  const [pattern, ...replacements] = pick<readonly [RegExp, ...(() => string)[]]>(random, [
    [/"[^"]*"/g, () => literal(random), () => name(random)],
    [/\band\b/g, () => 'or'],
    [/\bor\b/g, () => 'and'],
    [
      /\[\*\]/g,
      () => '[0]',
      () => '..*',
      () => '[*][*]',
      () => '[0,-1]',
      () => '[1:]',
      () => '..[*]',
    ],
    [/= /g, () => '!= ', () => '< ', () => '>= ', () => 'contains '],
    [/\?\(/g, () => '?(not ', () => '?(1 or '],
    [/@/g, () => '$', () => '@[*]', () => '@..'],
    [/\$/g, () => '@', () => '$..[*]'],
    [/and\s+\$\["data"\](?:(?!and\s+\$).)*/gs, () => '', () => ''],
    [/and\s+@\["\w+"\] = "[^"]*"/g, () => ''],
    [/"data"/g, () => '"data","data"', () => '?(1),*', () => '*'],
  ])
  const found = [...text.matchAll(pattern)]
  const chosen = pick(random, found)
  if (!chosen) return text
  const end = chosen.index + chosen[0].length
  return text.slice(0, chosen.index) + pick(random, replacements)() + text.slice(end)
}

function expression(random: Random): string {
  for (;;) {
    const text = random() < 0.6 ? mutatedExpression(random) : freeExpression(random)
    if (isExpression(text)) return text
  }
}

function isExpression(text: string): boolean {
  try {
    return compile(text).text === text
  } catch (error) {
    if (error instanceof JsonPathSyntaxError || error instanceof JsonPathLimitError) return false
    throw error
  }
}

function event(random: Random): unknown {
  const oracleData = JSON.stringify(pick(random, oracle).data)
  const text = pick(random, [...realEvents, ...realEvents, oracleData])
  let value: unknown = JSON.parse(text)
  for (let left = below(random, 8); left > 0; left -= 1) value = mutatedValue(random, value)
  if (random() < 0.03) for (let left = 200; left > 0; left -= 1) value = { data: value }
  return value
}

/** Goes down to some place and changes what is there. */
function mutatedValue(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.05) return pick(random, VALUES)
  return Array.isArray(value) ? mutatedList(random, value) : mutatedMembers(random, value)
}

function mutatedList(random: Random, list: readonly unknown[]): unknown {
  const at = below(random, list.length)
  const kind = random()
  if (kind < 0.1) return list.toSpliced(at, 1)
  if (kind < 0.2) return [...list, list[at] ?? pick(random, VALUES)]
  if (kind < 0.22) return { ...list }
  return list.length === 0 ? [pick(random, VALUES)] : list.with(at, mutatedValue(random, list[at]))
}

function mutatedMembers(random: Random, value: object): unknown {
  const members = Object.entries(value)
  if (random() < 0.15) members.push([pick(random, NAMES), pick(random, VALUES)])
  if (random() < 0.05) return members.map(([, member]) => member)
  const member = pick(random, members)
  if (!member) return { [pick(random, NAMES)]: pick(random, VALUES) }
  const kind = random()
  if (kind < 0.1) members.splice(members.indexOf(member), 1)
  else if (kind < 0.2) member[0] = pick(random, NAMES)
  else member[1] = mutatedValue(random, member[1])
  return Object.fromEntries(members)
}

interface Totals {
  pairs: number
  matches: number
  errors: number
  candidates: number
  indexed: number
  entries: number
}

/** The same subscriptions in both, changed a little before each event. */
function round(seed: number, totals: Totals): void {
  const random = randomFrom(seed)
  const limits = random() < 0.2 ? { baseSteps: 150, stepsPerNode: 1 } : {}
  const index = new SubscriptionIndex({
    limits,
    compiledBytes: pick(random, [0, 100_000, 100_000_000]),
  })
  const scan = new SubscriptionScan({ limits })
  const texts = new Map<string, string>()
  const change = () => {
    const id = `subscription ${below(random, EXPRESSIONS * 1.2)}`
    if (texts.has(id) && random() < 0.5) {
      texts.delete(id)
      expect([index.delete(id), scan.delete(id)]).toEqual([true, true])
      return
    }
    const text = random() < 0.1 ? (pick(random, [...texts.values()]) ?? '$') : expression(random)
    texts.set(id, text)
    index.set(id, text)
    scan.set(id, text)
  }
  for (let left = EXPRESSIONS; left > 0; left -= 1) change()
  for (let left = EVENTS; left > 0; left -= 1) {
    for (let changes = below(random, 3); changes > 0; changes -= 1) change()
    compare(index, scan, event(random), totals)
  }
  const { indexed } = index.stats()
  totals.indexed += indexed
  totals.entries += texts.size
  expect(index.size).toBe(texts.size)
  for (const id of texts.keys()) index.delete(id)
  expect(index.stats()).toMatchObject({ entries: 0, indexed: 0, scanned: 0, expressions: 0 })
}

function compare(
  index: SubscriptionIndex,
  scan: SubscriptionScan,
  value: unknown,
  totals: Totals,
): void {
  const [found, wanted] = [index, scan].map((subscriptions) => {
    const errors: string[] = []
    const ids = subscriptions.match(value, {
      onError: (id, { limit, maximum }) => errors.push(`${id}: ${limit} ${maximum}`),
    })
    return { ids, errors }
  })
  expect(found?.ids).toEqual(wanted?.ids)
  // What is no candidate does not match; brute force may find out that it cannot tell.
  expect(wanted?.errors).toEqual(expect.arrayContaining(found?.errors ?? []))
  totals.pairs += scan.size
  totals.matches += wanted?.ids.length ?? 0
  totals.errors += found?.errors.length ?? 0
  totals.candidates += index.stats().candidates
}

test(
  'the index answers what brute force answers, whatever the expressions, the event and the changes between',
  () => {
    const totals = { pairs: 0, matches: 0, errors: 0, candidates: 0, indexed: 0, entries: 0 }
    for (let seed = SEED; seed < SEED + ROUNDS; seed += 1) {
      try {
        round(seed, totals)
      } catch (error) {
        throw new Error(`the index differs: JSONPATH_SEED=${seed} JSONPATH_ROUNDS=1`, {
          cause: error,
        })
      }
    }
    console.log(`seeds ${SEED} to ${SEED + ROUNDS - 1}: ${JSON.stringify(totals)}`)
    expect(totals.pairs).toBeGreaterThan(ROUNDS * EXPRESSIONS * EVENTS * 0.5)
    expect(totals.matches).toBeGreaterThan(totals.pairs * 0.02)
    expect(totals.errors).toBeGreaterThan(ROUNDS)
    expect(totals.indexed).toBeGreaterThan(totals.entries * 0.5)
  },
  TIMEOUT_MS,
)

function read(name: string): string {
  return readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')
}
