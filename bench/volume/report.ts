/** The figures as Markdown: sizes, plans with the worst first, purges. Pure. */
import type { Latencies } from './beside.ts'
import type { Measured } from './case.ts'
import type { Written } from './coverage.ts'
import { count } from './plan.ts'
import type { ServicePlans } from './plans.ts'
import type { Purge } from './purge.ts'
import type { Statement } from './recorder.ts'
import { bytes, type IndexSize, type TableSize } from './sizes.ts'

export interface Sizes {
  readonly service: string
  /** Events or tasks. */
  readonly units: number
  readonly unit: string
  readonly tables: readonly TableSize[]
  readonly indexes: readonly IndexSize[]
}

export function sizesText(sizes: readonly Sizes[]): string {
  return sizes.map(sizesOf).join('\n')
}

function sizesOf({ service, units, unit, tables, indexes }: Sizes): string {
  const all = tables.reduce((sum, table) => sum + table.table + table.indexes, 0)
  const rows = tables.map(({ name, rows: n, table, indexes: of }) => [
    ...[name, count(n), bytes(table), bytes(of), String(Math.round((table + of) / units))],
  ])
  const largest = indexes.slice(0, MOST_INDEXES)
  const rest = indexes.slice(MOST_INDEXES)
  const others = rest.reduce((sum, index) => sum + index.bytes, 0)
  return [
    `### ${service}: ${bytes(all)}, ${count(all / units)} bytes for each ${unit}\n`,
    table(['table', 'rows', 'rows take', 'indexes take', `bytes for each ${unit}`], rows),
    table(
      ['index', 'of', 'takes'],
      [
        ...largest.map(({ name, table: of, bytes: n }) => [name, of, bytes(n)]),
        [`${rest.length} others`, '', bytes(others)],
      ],
    ),
  ].join('\n')
}

const MOST_INDEXES = 25

/** First what is flagged, then a line for each case. */
export function plansText(plans: readonly ServicePlans[]): string {
  const cases = plans.flatMap((each) => each.cases)
  const flagged = cases.flatMap(({ name, first, again }) =>
    again
      .map((statement, index) => ({ name, statement, first: first[index] }))
      .filter(({ statement }) => statement.figures.flags.length > 0),
  )
  flagged.sort((a, b) => b.statement.figures.ms - a.statement.figures.ms)
  const lines = flagged.map(({ name, statement, first }) => [
    ...[name, statement.figures.flags.join('; '), milliseconds(first?.figures.ms ?? 0)],
    ...[milliseconds(statement.figures.ms), beginningOf(statement)],
  ])
  return [
    `### Flagged: ${flagged.length} of ${count(cases.flatMap(({ again }) => again).length)} statements\n`,
    table(['of', 'it', 'first, ms', 'then, ms', 'statement'], lines),
    ...plans.map(({ service, cases: all }) => `### All of ${service}\n\n${casesTable(all)}`),
  ].join('\n')
}

/** Prepared statements: by a plan for their values, and by the one that PostgreSQL may keep. The worst first. */
export function preparedText(plans: readonly ServicePlans[]): string {
  const prepared = plans
    .flatMap((each) => each.cases)
    .flatMap(({ name, again }) => again.map((statement) => ({ name, ...statement })))
    .flatMap(({ generic, ...rest }) => (generic === undefined ? [] : [{ ...rest, generic }]))
    .map((each) => ({ ...each, times: each.generic.pages / Math.max(1, each.figures.pages) }))
    .sort((a, b) => b.times - a.times)
  const worse = prepared.filter(({ times, generic }) => isWorse(times, generic.pages))
  const lines = prepared.map(({ name, text, figures, generic, times }) => [
    ...[isWorse(times, generic.pages) ? `**${name}**` : name, count(figures.pages)],
    ...[count(generic.pages), milliseconds(figures.ms), milliseconds(generic.ms)],
    ...[generic.shape === figures.shape ? 'the same' : generic.shape, beginningOf({ text })],
  ])
  const head = ['of', 'pages', 'kept plan: pages', 'ms', 'kept plan: ms', 'by', 'statement']
  return [
    `### Prepared: ${count(prepared.length)} runs, of which ${worse.length} read more than ${MOST_TIMES} times the pages by a plan that knows no values\n`,
    table(head, lines),
  ].join('\n')
}

const MOST_TIMES = 10
/** So few pages are nothing, however many times more. */
const FEW_PAGES = 100

function isWorse(times: number, pages: number): boolean {
  return times > MOST_TIMES && pages > FEW_PAGES
}

function casesTable(cases: readonly Measured[]): string {
  const sum = (statements: readonly Statement[], of: (statement: Statement) => number) =>
    statements.reduce((total, statement) => total + of(statement), 0)
  const rows = cases.map(({ name, first, again }) => [
    ...[name, milliseconds(sum(first, ({ figures }) => figures.ms))],
    milliseconds(sum(again, ({ figures }) => figures.ms)),
    ...[milliseconds(sum(again, ({ figures }) => figures.planMs))],
    ...[count(sum(again, ({ figures }) => figures.pages)), shapesOf(again)],
  ])
  return table(['case', 'first, ms', 'then, ms', 'planning, ms', 'pages', 'by'], rows)
}

function shapesOf(statements: readonly Statement[]): string {
  return statements.map(({ figures }) => figures.shape || '-').join(' / ')
}

function beginningOf({ text }: Pick<Statement, 'text'>): string {
  return `\`${text.slice(0, 70).replaceAll('|', '¦').replaceAll('`', "'")}…\``
}

export function purgeText(purges: readonly Purge[]): string {
  return purges.map(purgeOf).join('\n')
}

function purgeOf({
  service,
  rows,
  seconds,
  batches,
  idle,
  during,
  vacuumS,
  tables,
}: Purge): string {
  const unit = service === 'notifications' ? 'events' : 'tasks'
  const waits = [...during].map(([name, latencies]) => [
    ...[name, ...threeOf(idle.get(name)), ...threeOf(latencies)],
  ])
  const shrunk = tables
    .filter(({ before }) => before > SMALL)
    .map(({ name, before, after, free }) => [
      ...[name, bytes(before), bytes(after)],
      ...(free === undefined ? ['', ''] : [bytes(free), `${Math.round((100 * free) / after)} %`]),
    ])
  return [
    `### ${service}: ${count(rows)} ${unit} in ${seconds.toFixed(0)} s, ${count(rows / seconds)} a second\n`,
    `${count(batches.times)} transactions; half of them took less than ${milliseconds(batches.half)} ms, 99 of a hundred ` +
      `less than ${milliseconds(batches.most)} ms, the longest ${milliseconds(batches.longest)} ms: nobody waits longer for a lock of it.\n`,
    table(['beside it, ms', 'half', '99 %', 'longest', 'half, during', '99 %', 'longest'], waits),
    `VACUUM ANALYZE afterwards took ${vacuumS.toFixed(1)} s. What it has freed is used again by what comes.\n`,
    table(['table', 'before', 'after', 'free', 'of it'], shrunk),
  ].join('\n')
}

const SMALL = 1024 * 1024

function threeOf(latencies: Latencies | undefined): string[] {
  if (latencies === undefined) return ['', '', '']
  return [latencies.half, latencies.most, latencies.longest].map(milliseconds)
}

export function missedText(missed: readonly Written[]): string {
  if (missed.length === 0) return 'Every statement of both services was run.\n'
  return `No case has run: ${missed.map(({ file, parts }) => `${file} (${parts[0]?.slice(0, 50)}…)`).join('; ')}\n`
}

function milliseconds(ms: number): string {
  return ms >= 100 ? count(ms) : ms.toFixed(1)
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return `${[line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')}\n`
}
