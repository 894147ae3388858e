/** The index against brute force on expressions of rfc9535. */

import {
  isExpression,
  many,
  NAMES,
  pick,
  type Random,
  testAgainstBruteForce,
  VALUES,
} from './differential.contract.ts'

const SCALARS = VALUES.filter((value) => typeof value !== 'object' || value === null)
const OPERATORS = ['==', '!=', '<', '<=', '>', '>='] as const
const PATTERNS = ["'org.*'", "'.*'", "'a'", "'Files|x'", "'[0-9]+'", "'text/.*'", "'('"] as const

function literal(random: Random): string {
  if (random() < 0.1) return pick(random, ['-0', '-0.0', '1.0', '1e400', '"\\u0041"', '0e5', "'x'"])
  return JSON.stringify(pick(random, SCALARS))
}

function name(random: Random): string {
  return JSON.stringify(pick(random, NAMES))
}

function sub(random: Random, depth: number): string {
  const kind = random()
  if (kind < 0.5) return name(random)
  if (kind < 0.65) return '*'
  if (kind < 0.72) return pick(random, ['0', '-1', '1:', ':2', '5:0:-1', '::-1', '::0'])
  return depth > 0 ? `?${condition(random, depth - 1)}` : name(random)
}

function steps(random: Random, depth: number): string {
  return many(random, 3, () => {
    const dots = random() < 0.12 ? '..' : ''
    const subs = random() < 0.85 ? 1 : 3
    return `${dots}[${many(random, subs, () => sub(random, depth)).join(',')}]`
  }).join('')
}

function origin(random: Random): string {
  return random() < 0.6 ? '@' : '$'
}

function path(random: Random, depth: number): string {
  return origin(random) + (random() < 0.15 ? '' : steps(random, depth))
}

function singular(random: Random): string {
  const length = random() < 0.1 ? 0 : 2
  const keys = length === 0 ? [] : many(random, length, () => singularStep(random))
  return origin(random) + keys.join('')
}

function singularStep(random: Random): string {
  return random() < 0.85 ? `[${name(random)}]` : pick(random, ['[0]', '[-1]'])
}

function comparable(random: Random, depth: number): string {
  const kind = random()
  if (kind < 0.45) return literal(random)
  if (kind < 0.85) return singular(random)
  if (kind < 0.9) return `length(${singular(random)})`
  return `${pick(random, ['count', 'value'])}(${path(random, depth)})`
}

function condition(random: Random, depth: number): string {
  const kind = random()
  if (depth > 0 && kind < 0.35) {
    const sign = pick(random, [' && ', ' && ', ' || '])
    return many(random, 4, () => `(${condition(random, depth - 1)})`).join(sign)
  }
  if (depth > 0 && kind < 0.41) return `!(${condition(random, depth - 1)})`
  if (kind < 0.5) return path(random, depth)
  if (kind < 0.56) {
    const called = pick(random, ['match', 'search'])
    return `${called}(${singular(random)}, ${pick(random, PATTERNS)})`
  }
  if (kind < 0.85) return `${singular(random)} == ${literal(random)}`
  return `${comparable(random, depth)} ${pick(random, OPERATORS)} ${comparable(random, depth)}`
}

/** What people write of Pacifica's events, with some of it made up. */
function plausible(random: Random): string {
  const value = () => literal(random)
  return pick(random, [
    () => `$[?$.eventType == 'org.pacifica.metadata.ingest' && ${condition(random, 2)}]`,
    () => `$.data[?@.destinationTable == 'TransactionKeyValue' && @.key == ${value()}]`,
    () => `$.data[?@.destinationTable == ${value()} || ${condition(random, 1)}]`,
    () => `$[?$.data[?@.key == ${value()} && @.value == ${value()}] && !$.data[?@.size > 100]]`,
    () => `$.data[?match(@.mimetype, 'text/.*') && @.size >= ${value()}]`,
    () => `$.data[?length(@.name) > 3 && count($.data[*]) > 2]`,
    () => `$.data[?@.value != ${value()}]`,
  ])()
}

function expression(random: Random): string {
  for (;;) {
    const kind = random()
    const text =
      kind < 0.4
        ? plausible(random)
        : kind < 0.7
          ? `$${steps(random, 3)}`
          : `$[?${condition(random, 3)}]`
    if (isExpression(text, 'rfc9535')) return text
  }
}

testAgainstBruteForce({ dialect: 'rfc9535', expression, rounds: 8 })
