/**
 * One token at a time. Longest match; a keyword wins over a name of the same length.
 *
 *   NAME   := [_A-Za-z] [_A-Za-z0-9]*
 *   NUMBER := '-'? INT ('.' [0-9]+)? ([eE] [+-]? INT)?        INT := '0' | [1-9] [0-9]*
 *   STRING := '"' (any but '"', '\' and U+0000-U+001F | '\' ["\/bfnrt] | '\u' HEX HEX HEX HEX)* '"'
 *   space  := ' ' | TAB | CR | LF        between any two tokens
 */

import type { Operator } from './tree.ts'

const OPERATORS: readonly string[] = ['=', '!=', '<', '<=', '>', '>=', 'contains']
const KEYWORDS = ['and', 'or', 'not', 'contains', 'true', 'false', 'null'] as const
const TWO_SIGNS = ['..', '<=', '>=', '!='] as const
const ONE_SIGN = '$@.*[](){}?:,=<>' as const

export type Keyword = (typeof KEYWORDS)[number]
type Sign =
  | (typeof TWO_SIGNS)[number]
  | ('$' | '@' | '.' | '*' | '[' | ']' | '(' | ')' | '{' | '}' | '?' | ':' | ',' | '=' | '<' | '>')

export type TokenKind = Keyword | Sign | 'name' | 'number' | 'string' | 'end' | 'invalid'

export interface Token {
  readonly kind: TokenKind
  readonly offset: number
  readonly end: number
  /** What is wrong, for an invalid token. */
  readonly problem?: string
}

const SPACE = /[ \t\r\n]*/y
const NAME = /[_A-Za-z][_A-Za-z0-9]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?(?:0|[1-9][0-9]*))?/y
const STRING_ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** The token that begins at `from` or after the white space there. */
export function tokenAt(text: string, from: number): Token {
  const offset = matchEnd(SPACE, text, from)
  const first = text[offset]
  if (first === undefined) return { kind: 'end', offset, end: offset }
  if (first === '"') return stringAt(text, offset)
  return signAt(text, offset) ?? wordAt(text, offset) ?? invalidAt(text, offset)
}

export function isOperator(kind: TokenKind): kind is Operator & TokenKind {
  return OPERATORS.includes(kind)
}

export function isKeyword(kind: TokenKind): kind is Keyword {
  return (KEYWORDS as readonly string[]).includes(kind)
}

function signAt(text: string, offset: number): Token | undefined {
  const two = text.slice(offset, offset + 2)
  if ((TWO_SIGNS as readonly string[]).includes(two)) {
    return { kind: two as Sign, offset, end: offset + 2 }
  }
  const one = two.charAt(0)
  return ONE_SIGN.includes(one) ? { kind: one as Sign, offset, end: offset + 1 } : undefined
}

function wordAt(text: string, offset: number): Token | undefined {
  const nameEnd = matchEnd(NAME, text, offset)
  if (nameEnd > offset) {
    const word = text.slice(offset, nameEnd)
    const kind = (KEYWORDS as readonly string[]).includes(word) ? (word as Keyword) : 'name'
    return { kind, offset, end: nameEnd }
  }
  const numberEnd = matchEnd(NUMBER, text, offset)
  return numberEnd > offset ? { kind: 'number', offset, end: numberEnd } : undefined
}

function stringAt(text: string, offset: number): Token {
  let at = offset + 1
  while (at < text.length) {
    const unit = text.charCodeAt(at)
    if (unit === 0x22) return { kind: 'string', offset, end: at + 1 }
    if (unit < 0x20) return invalid(at, at + 1, 'control character in a string')
    const next = unit === 0x5c ? matchEnd(STRING_ESCAPE, text, at) : at + 1
    if (next === at) return invalid(at, at + 2, `unknown escape '${text.slice(at, at + 2)}'`)
    at = next
  }
  return invalid(offset, text.length, 'string without its closing quote')
}

function invalidAt(text: string, offset: number): Token {
  const character = String.fromCodePoint(text.codePointAt(offset) ?? 0)
  return invalid(
    offset,
    offset + character.length,
    `unexpected character ${JSON.stringify(character)}`,
  )
}

function invalid(offset: number, end: number, problem: string): Token {
  return { kind: 'invalid', offset, end, problem }
}

/** Where a sticky pattern's match ends, or `from` if there is none. */
function matchEnd(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from
  return pattern.test(text) ? pattern.lastIndex : from
}
