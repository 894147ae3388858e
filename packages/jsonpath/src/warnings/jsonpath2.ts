/** Legal in jsonpath2 and probably not meant. Existing subscriptions rely on it. */

import { atomsOf, operandsOf } from '../syntax/atoms.ts'
import type { Expression, Filter, Operand, Path, Sub } from '../syntax/tree.ts'
import { isElements, type Place, placeAfter, type Warning } from './warning.ts'

export function warningsOfJsonpath2(path: Path, mixed: readonly number[]): Warning[] {
  const seen: Seen = { filters: [], arrays: new Set(['$.data']), unequal: [] }
  lookAtPath(path, undefined, seen)
  const onArrays = seen.filters.filter(({ place }) => seen.arrays.has(place))
  return [
    ...mixed.map((offset) => warning('MIXED_AND_OR', offset)),
    ...seen.unequal.map((offset) => warning('UNEQUAL_TO_SOME', offset)),
    ...onArrays.map(({ offset }) => warning('FILTER_ON_ARRAY', offset)),
  ]
}

const MESSAGES = {
  MIXED_AND_OR:
    "'or' binds tighter than 'and': 'p or q and r' is read as '(p or q) and r'; write the parentheses",
  UNEQUAL_TO_SOME:
    "'!=' holds if some selected value differs; for 'no value is equal' write 'not ... = ...'",
  FILTER_ON_ARRAY:
    'the filter tests the list itself, not its items; to test the items write [*][?(...)]',
}

function warning(code: keyof typeof MESSAGES, offset: number): Warning {
  return { code, message: MESSAGES[code], offset }
}

interface Seen {
  /** Filters that ask for members of the value at a named place. */
  readonly filters: { readonly place: string; readonly offset: number }[]
  /** Places that hold a list: `$.data` in every event of Pacifica Metadata, and what is indexed. */
  readonly arrays: Set<string>
  readonly unequal: number[]
}

function lookAtPath(path: Path, current: Place, seen: Seen): void {
  let place: Place = path.origin === '$' ? '$' : current
  for (const step of path.steps) {
    for (const sub of step.subs) lookAtSub(sub, step.descends ? undefined : place, seen)
    place = placeAfter(step, place)
  }
}

function lookAtSub(sub: Sub, place: Place, seen: Seen): void {
  if (isElements(sub) && place !== undefined) seen.arrays.add(place)
  if (sub.kind === 'filter') lookAtFilter(sub, place, seen)
  for (const path of pathsIn(sub)) lookAtPath(path, place, seen)
}

function lookAtFilter({ expression, offset }: Filter, place: Place, seen: Seen): void {
  if (place !== undefined && asksForMember(expression)) seen.filters.push({ place, offset })
  for (const atom of atomsOf(expression)) {
    if (atom.kind !== 'comparison' || atom.operator !== '!=') continue
    if (isMany(atom.left) || isMany(atom.right)) seen.unequal.push(atom.offset)
  }
}

function pathsIn(sub: Sub): Path[] {
  if (sub.kind === 'filter') return operandsOf(sub.expression).filter(isPath)
  if (sub.kind === 'subpath') return [sub.path]
  return sub.kind === 'call' ? sub.args.filter(isPath) : []
}

/** `@.name`, but no `@[*]` or the like: the filter takes the value for an object. */
function asksForMember(expression: Expression): boolean {
  const firsts = operandsOf(expression)
    .filter(isPath)
    .filter(({ origin }) => origin === '@')
    .map(({ steps }) => steps[0]?.subs[0])
  return firsts.some((sub) => sub?.kind === 'name') && !firsts.some((sub) => sub && isElements(sub))
}

function isPath(operand: Operand): operand is Path {
  return operand.kind === 'path'
}

/** The path can select more than one value. */
function isMany(operand: Operand): boolean {
  if (operand.kind === 'literal') return false
  return operand.steps.some(
    ({ descends, subs }) => descends || subs.length > 1 || isManySub(subs[0]),
  )
}

function isManySub(sub: Sub | undefined): boolean {
  if (sub?.kind === 'subpath') return isMany(sub.path)
  if (sub?.kind === 'call') return sub.args.some(isMany)
  return sub?.kind === 'wildcard' || sub?.kind === 'slice'
}
