/** Legal in rfc9535 and probably not meant: most of it is what the other dialect would mean. */

import { patternOf } from '../rfc9535/pattern.ts'
import { atomsOf, type operandsIn, operandsOf } from '../syntax/atoms.ts'
import { print } from '../syntax/print.ts'
import type { Expression, Path, Relation, Sub, Test, Where } from '../syntax/tree.ts'
import { type Place, placeAfter, type Warning } from './warning.ts'

const MESSAGES = {
  MIXED_AND_OR:
    "'&&' binds tighter than '||': 'p || q && r' is read as 'p || (q && r)'; write the parentheses",
  FILTER_ON_CHILDREN:
    "the filter tests what is inside the object, each member by itself, and not the object: for a condition on the event write $[?$.eventType == 'x'], for one on the items $.data[?@.key == 'x']",
  UNEQUAL_OR_MISSING:
    "'!=' holds too where there is nothing to compare; to ask for another value write '@.name && @.name != ...'",
  PATTERN_INVALID: 'this is no I-Regexp (RFC 9485), so nothing matches it',
} satisfies Partial<Record<Warning['code'], string>>

export function warningsOfRfc9535(path: Path, mixed: readonly number[]): Warning[] {
  const warnings = mixed.map((offset) => warning('MIXED_AND_OR', offset))
  lookAtPath(path, undefined, warnings)
  return warnings
}

function warning(code: keyof typeof MESSAGES, offset: number): Warning {
  return { code, message: MESSAGES[code], offset }
}

/** Objects of every event whose members have no members, but for `data` and `extensions`. */
const FLAT: readonly Place[] = ['$', '$.data.[*]']

function lookAtPath(path: Path, current: Place, warnings: Warning[]): void {
  let place: Place = path.origin === '$' ? '$' : current
  for (const step of path.steps) {
    for (const sub of step.subs) lookAtSub(sub, step.descends ? undefined : place, warnings)
    place = placeAfter(step, place)
  }
}

function lookAtSub(sub: Sub, place: Place, warnings: Warning[]): void {
  if (sub.kind !== 'where') return
  if (place !== undefined && FLAT.includes(place) && asksForMember(sub))
    warnings.push(warning('FILTER_ON_CHILDREN', sub.offset))
  lookAtConditions(sub.expression, warnings)
  const child = place === undefined ? undefined : `${place}.[*]`
  for (const operand of operandsOf(sub.expression))
    if (operand.kind === 'path') lookAtPath(operand, child, warnings)
}

/** `@.name` */
function asksForMember({ expression }: Where): boolean {
  return operandsOf(expression).some(
    (operand) =>
      operand.kind === 'path' &&
      operand.origin === '@' &&
      operand.steps[0]?.descends === false &&
      operand.steps[0].subs[0]?.kind === 'name',
  )
}

function lookAtConditions(expression: Expression, warnings: Warning[]): void {
  const atoms = atomsOf(expression)
  const asked = new Set(
    atoms.map((atom) => (atom.kind === 'bare' ? textOf(atom.operand) : undefined)),
  )
  for (const atom of atoms) {
    if (atom.kind === 'relation' && isUnequalOrMissing(atom, asked))
      warnings.push(warning('UNEQUAL_OR_MISSING', atom.offset))
    if (atom.kind === 'test') lookAtPattern(atom, warnings)
  }
}

/** A path against a literal, and no condition beside it asks whether the path is there. */
function isUnequalOrMissing(
  { operator, left, right }: Relation,
  asked: ReadonlySet<string | undefined>,
): boolean {
  if (operator !== '!=') return false
  const sides = [left, right]
  if (!sides.some(({ kind }) => kind === 'literal')) return false
  return sides
    .filter((side) => side.kind !== 'function')
    .some((operand) => {
      return operand.kind === 'path' && operand.steps.length > 0 && !asked.has(textOf(operand))
    })
}

function textOf(operand: Parameters<typeof operandsIn>[0]): string | undefined {
  return operand.kind === 'path' ? print(operand, 'rfc9535') : undefined
}

function lookAtPattern({ call }: Test, warnings: Warning[]): void {
  const pattern = call.args[1]
  if (pattern?.kind !== 'literal') return
  if (typeof pattern.value !== 'string' || patternOf(pattern.value) === undefined)
    warnings.push(warning('PATTERN_INVALID', pattern.offset))
}
