/** Strings, numbers and integers of rfc9535. */

import { MAX_INTEGER } from '../limits.ts'
import type { Literal } from '../syntax/tree.ts'
import type { Cursor } from './cursor.ts'

const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
const INTEGER = /0|-?[1-9][0-9]*/y
/** What may stand in a string as it is, whichever quote ends it. */
const PLAIN = /[^"'\\\p{Cc}\ud800-\udfff]+|[\u007f-\u009f]/uy
const ESCAPE =
  /\\(?:[bfnrt/\\"']|u(?:[0-9A-CE-Fa-ce-f][0-9A-Fa-f]{3}|[Dd][0-7][0-9A-Fa-f]{2}|[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}))/y

/** literal := number | string-literal | 'true' | 'false' | 'null' */
export function literal(cursor: Cursor): Literal | undefined {
  const offset = cursor.at
  const value = scalar(cursor)
  if (value === undefined) return undefined
  const float = typeof value === 'number' && !Number.isInteger(value)
  return cursor.node({ kind: 'literal', value, float, offset })
}

const WORDS = { true: true, false: false, null: null } as const

function scalar(cursor: Cursor): Literal['value'] | undefined {
  if (cursor.sees('"') || cursor.sees("'")) return string(cursor)
  const word = cursor.take(/(?:true|false|null)(?![A-Za-z0-9_(])/y)
  if (word !== undefined) return WORDS[word as keyof typeof WORDS]
  const number = cursor.take(NUMBER)
  return number === undefined ? undefined : Number(number) + 0 // -0 is 0
}

/** string-literal := '"' (char | "'" | escape)* '"' | "'" (char | '"' | escape)* "'" */
export function string(cursor: Cursor): string {
  const start = cursor.at
  const quote = cursor.next
  const other = quote === '"' ? "'" : '"'
  cursor.at += 1
  let text = ''
  while (!cursor.accept(quote)) {
    if (cursor.isAtEnd) {
      throw cursor.error('string without its closing quote', { expected: quote, offset: start })
    }
    text += cursor.take(PLAIN) ?? (cursor.accept(other) ? other : escaped(cursor, other))
  }
  return text
}

function escaped(cursor: Cursor, other: string): string {
  const offset = cursor.at
  const found = cursor.take(ESCAPE)
  if (found === undefined || found === `\\${other}`) {
    const what = cursor.text.slice(offset, offset + 2)
    const problem = what.startsWith('\\')
      ? `unknown escape '${what}'`
      : 'a character that cannot stand in a string'
    const expected = `a character, or one of \\b \\f \\n \\r \\t \\/ \\\\ \\uXXXX and the quote`
    throw cursor.error(problem, { expected, offset })
  }
  return found === "\\'" ? "'" : (JSON.parse(`"${found}"`) as string)
}

/** int := '0' | '-'? [1-9] [0-9]*        between -(2^53 - 1) and 2^53 - 1 */
export function integer(cursor: Cursor): number | undefined {
  const offset = cursor.at
  const text = cursor.take(INTEGER)
  if (text === undefined) return undefined
  const number = Number(text)
  if (Math.abs(number) > MAX_INTEGER) {
    throw cursor.error('an integer that is too large', {
      expected: 'one between -(2^53 - 1) and 2^53 - 1',
      offset,
    })
  }
  return number
}
