/** Outcomes as a table: for a terminal, and in Markdown for docs/benchmarks.md. */
import { goodness, goodnessText, numberText, spreadText } from './figures.ts'
import type { Outcome } from './outcome.ts'
import type { Measured } from './row.ts'

const HEADS = ['', 'ours', 'peer', 'ours beside it', 'goal', 'reached']

/** One line of the table, without the row's name. */
function cellsOf(measured: Measured): string[] {
  const { what, unit, ours, peer, goal } = measured
  return [
    what,
    `${spreadText(ours)} ${unit}`,
    peer === undefined ? '' : `${peer.name}: ${spreadText(peer.figures)}`,
    goodnessText(goodness(measured)),
    goal?.text ?? '',
    goal === undefined ? '' : goal.reached ? 'yes' : 'NO',
  ]
}

function steadiness({ calibrationMs, load, seconds }: Outcome): string {
  return `calibration ${numberText(calibrationMs)} ms, load ${load.before.toFixed(2)} → ${load.after.toFixed(2)}, ${Math.round(seconds)} s`
}

/** One row, as it is printed when it is over. */
export function rowText(outcome: Outcome): string {
  const head = `${outcome.name}: ${outcome.what} [${steadiness(outcome)}]`
  if (outcome.result.kind === 'failed') return `${head}\n  FAILED: ${outcome.result.reason}`
  const { measured } = outcome.result
  const lines = [HEADS, ...measured.map(cellsOf)]
  const widths = HEADS.map((_, at) => Math.max(...lines.map((cells) => cells[at]?.length ?? 0)))
  const text = lines.map((cells, at) => {
    const line = cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
    const note = measured[at - 1]?.note
    return `  ${line.trimEnd()}${note === undefined ? '' : `\n      ${note}`}`
  })
  return [head, ...text].join('\n')
}

/** All rows in one table, and under it how steady the machine was. */
export function markdownTable(outcomes: readonly Outcome[]): string {
  return [
    '| row | case | ours | peer | ours beside it | goal | reached |',
    '|---|---|---|---|---|---|---|',
    ...outcomes.flatMap(markdownLines),
    '',
    '| row | calibration, ms | load before | load after | seconds |',
    '|---|---|---|---|---|',
    ...outcomes.map(({ name, calibrationMs, load, seconds }) =>
      lineOf([
        name,
        numberText(calibrationMs),
        load.before.toFixed(2),
        load.after.toFixed(2),
        String(Math.round(seconds)),
      ]),
    ),
  ].join('\n')
}

function markdownLines({ name, result }: Outcome): string[] {
  if (result.kind === 'failed') return [lineOf([name, `FAILED: ${result.reason}`, ...EMPTY])]
  return result.measured.map((measured, at) => {
    const [what = '', ...others] = cellsOf(measured)
    const noted = measured.note === undefined ? what : `${what}<br>${measured.note}`
    return lineOf([at === 0 ? name : '', noted, ...others])
  })
}

const EMPTY = ['', '', '', '', '']

function lineOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ')).join(' | ')} |`
}
