/** Reports on routes, for a reader. Pure. */
import { type FailedClause, type Found, positionAt } from '@pacifica/jsonpath'
import type { RouteReport } from '../../routing/explain-routes.ts'

const WIDTH = 110
const INDENT = '  '
const SHOWN = 3
const KEYS_SHOWN = 6

export function showRoutes(reports: readonly RouteReport[]): string {
  return reports.map((report) => `${lines(report).join('\n')}\n`).join('\n')
}

function lines(report: RouteReport): string[] {
  const { number, chosen, version, dialect, explanation, warnings, path } = report
  const special = [
    ...(version === 'v0.1' ? [] : [`version ${version}`]),
    ...(dialect === 'jsonpath2' ? [] : [dialect]),
  ]
  const name = special.length === 0 ? `route ${number}` : `route ${number} (${special.join(', ')})`
  return [
    `${name} ${verdict(explanation.matches, chosen)}`,
    ...(explanation.error === null ? [] : [`${INDENT}${explanation.error}`]),
    ...(explanation.failed === null ? [] : clause(explanation.failed, path, INDENT)),
    ...warnings.flatMap(({ message, offset }) => [
      `${INDENT}mind, at ${place(path, offset)}: ${message}`,
    ]),
  ]
}

function verdict(matches: boolean | null, chosen: boolean): string {
  if (matches === null) return 'cannot be tried on this event'
  if (!matches) return 'does not match'
  return chosen ? 'matches, and gets the event' : 'matches too, but an earlier one gets the event'
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
