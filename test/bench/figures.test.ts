import { expect, test } from 'vitest'
import { withTable } from '../../bench/document.ts'
import { goodness, goodnessText, numberText, spreadText } from '../../bench/figures.ts'
import { OptionError, readOptions } from '../../bench/options.ts'
import type { Outcome } from '../../bench/outcome.ts'
import { matchingPlot } from '../../bench/plot.ts'
import type { Measured } from '../../bench/row.ts'
import { markdownTable, rowText } from '../../bench/table.ts'

const peer = { name: 'the floor', figures: [100, 200, 400] }

test('of a rate more is better, of a time less, and each round is held beside its own peer', () => {
  const ours = [50, 200, 800]
  expect(goodness({ what: '', unit: 'events/s', ours, peer })).toEqual([0.5, 1, 2])
  expect(goodness({ what: '', unit: 'ms', ours, peer })).toEqual([2, 1, 0.5])
  expect(goodness({ what: '', unit: 'ms', ours })).toEqual([])
})

test('a peer that was measured in fewer rounds stands beside all of ours', () => {
  const once = { name: 'slow', figures: [1000] }
  expect(goodness({ what: '', unit: 'µs', ours: [10, 20], peer: once })).toEqual([100, 50])
})

test('figures are written with their ends, and good ones as times', () => {
  expect(spreadText([3, 1, 2])).toBe('2 (1–3)')
  expect(spreadText([1, 2])).toBe('1.5 (1–2)')
  expect(spreadText([7])).toBe('7')
  expect([0.00123, 1.234, 56.78, 1234.5, 4].map(numberText)).toEqual([
    ...['0.00123', '1.23', '56.8', '1,235', '4'],
  ])
  expect(goodnessText([0.6, 0.8])).toBe('70 (60–80) %')
  expect(goodnessText([4000, 4169])).toBe('4,085 (4,000–4,169) ×')
})

const measured: Measured = {
  ...{ what: '10 | 20', unit: 'events/s', ours: [50, 60, 70], peer },
  ...{ goal: { text: '≥ 60 %', reached: false }, note: 'as noted' },
}
const seen = { calibrationMs: 51, load: { before: 0.5, after: 1.25 }, seconds: 9.7 }
const outcomes: readonly Outcome[] = [
  { ...seen, name: 'one', what: 'it works', result: { kind: 'measured', measured: [measured] } },
  { ...seen, name: 'two', what: 'two', result: { kind: 'failed', reason: 'no\ncurl' } },
]

test('a table has a line for each case and for each row that failed', () => {
  const table = markdownTable(outcomes)
  expect(table).toContain(
    '| one | 10 \\| 20<br>as noted | 60 (50–70) events/s | the floor: 200 (100–400) | 30 (18–50) % | ≥ 60 % | NO |',
  )
  expect(table).toContain('| two | FAILED: no curl |')
  expect(table).toContain('| one | 51 | 0.50 | 1.25 | 10 |')
  expect(outcomes.map(rowText).join('\n')).toMatch(/it works.*as noted.*FAILED: no\ncurl/s)
})

test('what stands between the markers of the document is replaced, and nothing else', () => {
  const begin = '<!-- written by npm run bench -- --write -->'
  const text = `before\n${begin}\nold\n<!-- until here -->\nafter`
  expect(withTable(text, 'new')).toBe(`before\n${begin}\n\nnew\n\n<!-- until here -->\nafter`)
  expect(() => withTable('nothing', 'new')).toThrow('needs a line')
})

test.each([
  [['--rounds', '0'], '--rounds is a whole number'],
  [['nothing'], 'no such row: nothing. There are: one, two'],
  [['--fast'], '--fast'],
  [['one', '--write'], '--write needs all rows'],
  [['--quick', '--write'], '--write needs all rows'],
])('%j is refused and says why', (args, why) => {
  const read = () => readOptions(args, ['one', 'two'])
  expect(read).toThrow(OptionError)
  expect(read).toThrow(why)
})

test('all rows run three rounds unless told otherwise', () => {
  const both = { names: ['one', 'two'], rounds: 3, quick: false, write: false }
  expect(readOptions([], ['one', 'two'])).toEqual(both)
  expect(readOptions(['two', '--rounds', '1'], ['one', 'two'])).toMatchObject({
    ...{ names: ['two'], rounds: 1 },
  })
})

test('the plot has both sides in both panels', () => {
  const of = (unit: string, at: number) => ({
    ...{ what: '', unit, at, ours: [at * 2, at * 3] },
    peer: { name: 'brute force', figures: [at * 70] },
  })
  const svg = matchingPlot([of('µs', 1), of('µs', 1000), of('MiB', 1), of('MiB', 1000), measured])
  for (const text of ['index', 'brute force', 'µs to match one event', 'MiB of heap', '70,000'])
    expect(svg).toContain(`>${text}<`)
  expect(svg).not.toContain('NaN')
})
