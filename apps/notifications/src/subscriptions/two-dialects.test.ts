/** docs/guides/two-dialects.md: its tables say what is so. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Dialect } from '@pacifica/jsonpath'
import { describe, expect, test } from 'vitest'
import { compileSubscription } from './subscription.ts'

const file = join(import.meta.dirname, '../../../../docs/guides/two-dialects.md')
const guide = await readFile(file, 'utf8')
const event: unknown = JSON.parse(/^```json\n(.*?)^```/ms.exec(guide)?.[1] ?? '')
const section = (title: string) => guide.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
const rowsOf = (title: string) =>
  section(title)
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|')))
    .map(([, first = '', second = '', third = '']) => [first, second, third] as const)
const codeIn = (cell: string) => cell.replaceAll('`', '')
const matches = (text: string, dialect: Dialect, value: unknown) =>
  compileSubscription(text, dialect).test(value)

/** Events that differ from the one shown by one thing, so that what means the same agrees on all of them. */
const without = (name: string) =>
  JSON.parse(JSON.stringify(event, (key, value) => (key === name ? undefined : value))) as unknown
const events = [
  event,
  ...['eventType', 'key', 'value', 'size', 'name', 'mimetype', 'data'].map(without),
]

describe('what is said to mean the same matches the event shown, and the same others', () => {
  const rows = rowsOf('The same meaning')
  test('there are rows', () => expect(rows.length).toBeGreaterThanOrEqual(12))
  test.each(rows)('%s', (_what, old, now) => {
    expect(matches(codeIn(now), 'rfc9535', event)).toBe(true)
    expect(compileSubscription(codeIn(now), 'rfc9535').warnings).toEqual([])
    if (old === '') return
    for (const each of events)
      expect(matches(codeIn(old), 'jsonpath2', each)).toBe(matches(codeIn(now), 'rfc9535', each))
  })
})

describe('the same text means what the table says', () => {
  const rows = rowsOf('The same text, another meaning')
  test('there are rows', () => expect(rows.length).toBeGreaterThanOrEqual(6))
  test.each(rows)('%s: %s; %s', (text, old, now) => {
    for (const [dialect, said] of [
      ['jsonpath2', old],
      ['rfc9535', now],
    ] as const) {
      const ask = () => matches(codeIn(text), dialect, event)
      if (said.startsWith('refused')) expect(ask).toThrow(/expected/)
      else expect(ask()).toBe(said.startsWith('matches'))
    }
  })
})

test('the traps are as they are described', () => {
  const holds = (text: string) => matches(text, 'rfc9535', event)
  expect(holds("$[?@.eventType == 'org.pacifica.metadata.ingest']")).toBe(false)
  expect(holds("$.data[*][?@.key == 'Tag']")).toBe(false)
  expect(holds("$.data[?@.destinationTable == 'Files' && @.key != 'Tag']")).toBe(true)
  expect(holds('$[?true == 1]')).toBe(false)
  expect(holds("$[?'a' < 'b']")).toBe(true)
  expect(() => holds('$[?@.list[*] == 1]')).toThrow()
})
