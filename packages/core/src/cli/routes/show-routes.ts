/** Reports on routes, for a reader. Pure. */
import { type Explanation, type FailedClause, type Found, positionAt } from '@pacifica/jsonpath'
import type { RouteReport } from '../../routing/explain-routes.ts'

const WIDTH = 110
const INDENT = '  '
const SHOWN = 3
const KEYS_SHOWN = 6

/** @param join the one that gets the event, so that no route does */
export function showRoutes(reports: readonly RouteReport[], join?: string): string {
  return reports.map((report) => `${routeLines(report, join).join('\n')}\n`).join('\n')
}

function routeLines(report: RouteReport, join: string | undefined): string[] {
  const { number, chosen, explanation } = report
  const instead = join === undefined ? 'an earlier one' : `the join ${join}`
  const gets = chosen && join === undefined
  return pathLines(`route ${number}`, report, verdict(explanation.matches, gets, instead))
}

function verdict(matches: boolean | null, gets: boolean, instead: string): string {
  if (matches === null) return 'cannot be tried on this event'
  if (!matches) return 'does not match'
  return gets ? 'matches, and gets the event' : `matches too, but ${instead} gets the event`
}

/** What a path makes of the event: a heading, and below it the part that selects nothing. */
export function pathLines(
  name: string,
  report: Pick<RouteReport, 'path' | 'version' | 'dialect' | 'explanation' | 'warnings'>,
  said: string,
): string[] {
  const { version, dialect, explanation, warnings, path } = report
  const special = [
    ...(version === 'v0.1' ? [] : [`version ${version}`]),
    ...(dialect === 'jsonpath2' ? [] : [dialect]),
  ]
  return [
    `${name}${special.length === 0 ? '' : ` (${special.join(', ')})`} ${said}`,
    ...whyNot(explanation, path),
    ...warnings.flatMap(({ message, offset }) => [
      `${INDENT}mind, at ${place(path, offset)}: ${message}`,
    ]),
  ]
}

/** Where a path ends, and what stood there. */
export function whyNot({ error, failed }: Explanation, path: string): string[] {
  return [
    ...(error === null ? [] : [`${INDENT}${error}`]),
    ...(failed === null ? [] : clause(failed, path, INDENT)),
  ]
}

function clause(failed: FailedClause, path: string, indent: string): string[] {
  const { message, offset, reached, found, count, operands, because } = failed
  const nested = because.flatMap((one) => clause(one, path, indent + INDENT))
  return [
    `${indent}at ${place(path, offset)}: ${cut(message)}`,
    ...excerpt(path, offset).map((line) => `${indent}${INDENT}${line}`),
    `${indent}${INDENT}there stood ${values(found, count)} (${cut(reached)})`,
    // What selects nothing is in the message, and explained by the clauses below.
    ...operands
      .filter((operand) => operand.count > 0)
      .map(
        (operand) =>
          `${indent}${INDENT}${cut(operand.path)} is ${values(operand.values, operand.count)}`,
      ),
    ...nested,
  ]
}

function place(text: string, offset: number): string {
  const { line, column } = positionAt(text, offset)
  return `line ${line}, column ${column + 1}`
}

/** The line of the author's own text, and a mark below the place. */
function excerpt(text: string, offset: number): string[] {
  const start = text.lastIndexOf('\n', offset - 1) + 1
  const end = text.indexOf('\n', offset)
  const line = text.slice(start, end < 0 ? text.length : end).replaceAll(/\p{Cc}/gu, ' ')
  const from = Math.max(0, offset - start - WIDTH / 2)
  return [line.slice(from, from + WIDTH), `${' '.repeat(offset - start - from)}^`]
}

function values(found: readonly Found[], count: number): string {
  if (count === 0) return 'nothing'
  const [first] = found
  if (count === 1 && first !== undefined) return inWords(first)
  const shown = found.slice(0, SHOWN).map(inWords).join('; ')
  return `${count} values: ${shown}${count > SHOWN ? '; …' : ''}`
}

function inWords(found: Found): string {
  switch (found.kind) {
    case 'object':
      return found.members === 0 ? 'an empty object' : `an object with ${keys(found)}`
    case 'list':
      return `a list of ${found.items}`
    default:
      return JSON.stringify(found.value)
  }
}

function keys({ keys: names, members }: Extract<Found, { readonly kind: 'object' }>): string {
  const shown = names.slice(0, KEYS_SHOWN).join(', ')
  return members > KEYS_SHOWN ? `${shown}, …` : shown
}

function cut(text: string): string {
  return text.length <= WIDTH ? text : `${text.slice(0, WIDTH)}…`
}
