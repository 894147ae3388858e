/**
 * The index against brute force, on expressions of a dialect and events mutated from the real ones. The
 * seed of each round is in its message; JSONPATH_ROUNDS=2000 looks further, JSONPATH_SEED=… begins
 * elsewhere.
 */

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compile } from '../compile/compile.ts'
import { JsonPathLimitError, JsonPathSyntaxError } from '../errors.ts'
import type { Dialect } from '../parse.ts'
import { SubscriptionIndex } from './subscription-index.ts'
import { SubscriptionScan } from './subscription-scan.ts'

const SEED = Number(process.env['JSONPATH_SEED'] ?? 1)
const EXPRESSIONS = 250
const EVENTS = 40
const TIMEOUT_MS = 600_000

export type Random = () => number

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

export function below(random: Random, most: number): number {
  return Math.floor(random() * most)
}

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[below(random, from.length)] as T
}

const pacifica = ['example', 'proxymod', 'notifications'] as const
const realEvents = pacifica.map((name) => read(`pacifica/${name}.event.json`))
export const realExpressions = ['example', 'proxymod'].map((name) =>
  read(`pacifica/${name}.jsonpath2.txt`),
)
export const oracle = read('jsonpath2.jsonl')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as { expr: string; data: unknown; values?: unknown[] })
  .filter(({ expr }) => isExpression(expr))

export const NAMES = [
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
export const VALUES: readonly unknown[] = [
  ...['Files', 'TransactionKeyValue', 'example-key', 'example-value', 'text/plain', '', 'x', '1'],
  ...['org.pacifica.metadata.ingest', '/pacifica/metadata/ingest', '__proto__', 'a🚀b', 'été'],
  ...[0, 1, -1, 2, 0.5, 614, 1e21, 1e308, 2 ** 53, true, false, null],
  ...[[], {}, [1], [true], [0, [false]], { a: 1 }, { a: true, b: 0 }, { b: 0, a: 1 }, [[1], {}]],
]

export const many = <T>(random: Random, most: number, make: () => T): T[] =>
  Array.from({ length: 1 + below(random, most) }, make)

export function isExpression(text: string, dialect: Dialect = 'jsonpath2'): boolean {
  try {
    return compile(text, { dialect }).text === text
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
function round(given: Given, seed: number, totals: Totals): void {
  const random = randomFrom(seed)
  const limits = random() < 0.2 ? { baseSteps: 150, stepsPerNode: 1 } : {}
  const index = new SubscriptionIndex({
    limits,
    compiledBytes: pick(random, [0, 100_000, 100_000_000]),
    crowd: pick(random, [1, 2, 64]),
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
    const text =
      random() < 0.1 ? (pick(random, [...texts.values()]) ?? '$') : given.expression(random)
    texts.set(id, text)
    index.set(id, text, { dialect: given.dialect })
    scan.set(id, text, { dialect: given.dialect })
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

interface Given {
  readonly dialect: Dialect
  /** An expression that compiles. */
  readonly expression: (random: Random) => string
  /** Rounds, where JSONPATH_ROUNDS does not say. */
  readonly rounds: number
}

export function testAgainstBruteForce(given: Given): void {
  const rounds = Number(process.env['JSONPATH_ROUNDS'] ?? given.rounds)
  test(
    'the index answers what brute force answers, whatever the expressions, the event and the changes between',
    () => {
      const totals = { pairs: 0, matches: 0, errors: 0, candidates: 0, indexed: 0, entries: 0 }
      for (let seed = SEED; seed < SEED + rounds; seed += 1) {
        try {
          round(given, seed, totals)
        } catch (error) {
          throw new Error(`the index differs: JSONPATH_SEED=${seed} JSONPATH_ROUNDS=1`, {
            cause: error,
          })
        }
      }
      console.log(`seeds ${SEED} to ${SEED + rounds - 1}: ${JSON.stringify(totals)}`)
      expect(totals.pairs).toBeGreaterThan(rounds * EXPRESSIONS * EVENTS * 0.5)
      expect(totals.matches).toBeGreaterThan(totals.pairs * 0.02)
      expect(totals.errors).toBeGreaterThan(rounds)
      expect(totals.indexed).toBeGreaterThan(totals.entries * 0.5)
    },
    TIMEOUT_MS + rounds * 10_000,
  )
}

function read(name: string): string {
  return readFileSync(new URL(`../../cases/${name}`, import.meta.url), 'utf8')
}
