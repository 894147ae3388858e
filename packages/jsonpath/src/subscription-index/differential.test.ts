/** The index against brute force on expressions of jsonpath2. */

import {
  below,
  isExpression,
  many,
  NAMES,
  oracle,
  pick,
  type Random,
  realExpressions,
  testAgainstBruteForce,
  VALUES,
} from './differential.contract.ts'

function literal(random: Random): string {
  if (random() < 0.1)
    return pick(random, ['-0', '-0.0', '1.0', '1e400', '-1e400', '"\\u0041"', '0e5'])
  return JSON.stringify(pick(random, VALUES))
}

function name(random: Random): string {
  return JSON.stringify(pick(random, NAMES))
}

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

testAgainstBruteForce({ dialect: 'jsonpath2', expression, rounds: 36 })
