/**
 * `npm run bench`: every row, or those that are named, each beside its peer; see docs/benchmarks.md. Exits with 0 when
 * all were measured, whatever the figures, with 1 when one failed, with 2 when it was called wrongly.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { calibrate } from './calibration.ts'
import { withTable } from './document.ts'
import { type Machine, machineText, readMachine } from './machine.ts'
import { type BenchOptions, OptionError, readOptions, USAGE } from './options.ts'
import type { Outcome } from './outcome.ts'
import { matchingPlot } from './plot.ts'
import { rowNames } from './row-names.ts'
import { runInProcess } from './row-process.ts'
import { markdownTable, rowText } from './table.ts'

const DOCS = join(import.meta.dirname, '../docs')

/** What a row has started is ended by its guard, which notices that this process is gone. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))

async function runRow(name: string, { rounds, quick }: BenchOptions): Promise<Outcome> {
  const calibrationMs = calibrate()
  const before = loadavg()[0] ?? Number.NaN
  const from = performance.now()
  const print = (line: string) => console.log(`  ${name}: ${line}`)
  const { what, result } = await runInProcess({ name, rounds, quick, print })
  const seconds = (performance.now() - from) / 1000
  const after = loadavg()[0] ?? Number.NaN
  return { name, what, calibrationMs, load: { before, after }, seconds, result }
}

async function runAll(options: BenchOptions): Promise<void> {
  const machine = readMachine()
  console.log(`${machineText(machine)}; commit ${machine.commit}`)
  const outcomes: Outcome[] = []
  for (const name of options.names) {
    const outcome = await runRow(name, options)
    outcomes.push(outcome)
    console.log(`\n${rowText(outcome)}\n`)
  }
  console.log(summary(outcomes, options))
  if (options.write) write(machine, outcomes, options.rounds)
  process.exitCode = outcomes.some(({ result }) => result.kind === 'failed') ? 1 : 0
}

function summary(outcomes: readonly Outcome[], { rounds, quick }: BenchOptions): string {
  const failed = outcomes.filter(({ result }) => result.kind === 'failed')
  const goals = outcomes.flatMap(({ result }) =>
    result.kind === 'measured' ? result.measured.flatMap(({ goal }) => goal ?? []) : [],
  )
  const reached = goals.filter((goal) => goal.reached).length
  const small = quick ? '; quick: the figures say nothing' : ''
  return `${counted(outcomes.length, 'row')}, ${counted(rounds, 'round')}: ${reached} of ${goals.length} goals reached, ${failed.length} failed${small}`
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function write(machine: Machine, outcomes: readonly Outcome[], rounds: number): void {
  const file = join(DOCS, 'benchmarks.md')
  const said = `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC, commit ${machine.commit}, ${counted(rounds, 'round')}. ${machineText(machine)}.`
  writeFileSync(
    file,
    withTable(readFileSync(file, 'utf8'), `${said}\n\n${markdownTable(outcomes)}`),
  )
  console.log(`written: ${file}`)
  const matching = outcomes.find(({ name }) => name === 'matching')?.result
  if (matching?.kind !== 'measured') return
  mkdirSync(join(DOCS, 'benchmarks'), { recursive: true })
  writeFileSync(join(DOCS, 'benchmarks/matching.svg'), matchingPlot(matching.measured))
}

try {
  await runAll(readOptions(process.argv.slice(3), rowNames()))
} catch (error) {
  console.error(error instanceof OptionError ? `${error.message}\n${USAGE}` : error)
  process.exitCode = 2
}
