/**
 * RFC 9535, by recursive descent: paths here, conditions in expression.ts, the rule above each
 * function. `S` is white space; it may stand where a rule has it and nowhere else.
 */

import type { Parsed } from '../syntax/parser.ts'
import type { Name, Path, Step, Sub } from '../syntax/tree.ts'
import { Cursor } from './cursor.ts'
import { type Conditions, logical } from './expression.ts'
import { integer, string } from './literal.ts'

const SELECTOR = "a name in quotes, a number, a slice, '*' or ?condition"
const SEGMENT = "'.', '..', '[' or the end"
const SHORTHAND = "a name, '*' or '['"

/** First: a letter, '_' or any character beyond ASCII; then digits, too. */
const NAME = /[A-Z_a-z\u0080-\ud7ff\ue000-\u{10ffff}][0-9A-Z_a-z\u0080-\ud7ff\ue000-\u{10ffff}]*/uy

/** jsonpath-query := '$' segments */
export function parseRfc9535(text: string): Parsed {
  const cursor = new Cursor(text)
  const conditions: Conditions = { cursor, mixed: [], query: () => query(conditions) }
  if (!cursor.sees('$')) cursor.fail("'$'")
  const path = query(conditions)
  if (!cursor.isAtEnd) {
    const end = cursor.at
    cursor.space()
    if (cursor.isAtEnd) cursor.at = end
    cursor.fail(SEGMENT)
  }
  return { path, mixed: conditions.mixed }
}

/** query := ('$' | '@') segments        segments := (S segment)* */
function query(conditions: Conditions): Path {
  const { cursor } = conditions
  const offset = cursor.at
  const origin = cursor.accept('$') ? '$' : '@'
  if (origin === '@') cursor.expect('@', "'$' or '@'")
  const steps: Step[] = []
  for (;;) {
    const before = cursor.at
    cursor.space()
    const step = segment(conditions)
    if (step === undefined) {
      cursor.at = before
      break
    }
    steps.push(step)
  }
  return cursor.node({ kind: 'path', origin, steps, offset })
}

/** segment := brackets | '.' shorthand | '..' (brackets | shorthand) */
function segment(conditions: Conditions): Step | undefined {
  const { cursor } = conditions
  const offset = cursor.at
  if (cursor.sees('[')) return { descends: false, subs: brackets(conditions), offset }
  if (!cursor.accept('.')) return undefined
  const descends = cursor.accept('.')
  const subs = descends && cursor.sees('[') ? brackets(conditions) : [shorthand(conditions)]
  return { descends, subs, offset }
}

/** shorthand := '*' | name-first name-char* */
function shorthand({ cursor }: Conditions): Sub {
  const offset = cursor.at
  if (cursor.accept('*')) return cursor.node({ kind: 'wildcard', offset })
  const name = cursor.take(NAME)
  if (name === undefined) return cursor.fail(SHORTHAND)
  return cursor.node<Name>({ kind: 'name', name, offset })
}

/** brackets := '[' S selector (S ',' S selector)* S ']' */
function brackets(conditions: Conditions): Sub[] {
  const { cursor } = conditions
  return cursor.nested(() => {
    cursor.expect('[', "'['")
    const subs: Sub[] = []
    do {
      cursor.space()
      subs.push(selector(conditions))
    } while (cursor.acceptAfterSpace(','))
    cursor.space()
    cursor.expect(']', "',' or ']'")
    return subs
  })
}

/** selector := string-literal | '*' | slice | int | '?' S logical */
function selector(conditions: Conditions): Sub {
  const { cursor } = conditions
  const offset = cursor.at
  if (cursor.sees('"') || cursor.sees("'"))
    return cursor.node({ kind: 'name', name: string(cursor), offset })
  if (cursor.accept('*')) return cursor.node({ kind: 'wildcard', offset })
  if (!cursor.accept('?')) return indexOrSlice(cursor)
  cursor.space()
  return cursor.node({ kind: 'where', expression: logical(conditions), offset })
}

/** slice := (int S)? ':' S (int S)? (':' (S int)?)? */
function indexOrSlice(cursor: Cursor): Sub {
  const offset = cursor.at
  const start = integer(cursor)
  if (!cursor.acceptAfterSpace(':')) {
    return start === undefined
      ? cursor.fail(SELECTOR)
      : cursor.node({ kind: 'index', index: start, offset })
  }
  const end = integerAfterSpace(cursor)
  const step = cursor.acceptAfterSpace(':') ? integerAfterSpace(cursor) : undefined
  return cursor.node({ kind: 'span', start, end, step, offset })
}

function integerAfterSpace(cursor: Cursor): number | undefined {
  const before = cursor.at
  cursor.space()
  const number = integer(cursor)
  if (number === undefined) cursor.at = before
  return number
}
