/**
 * The commonest mistakes, most of them right in some other JSONPath, and what to write instead.
 * The first line that fits the place of the error gives the hint.
 */

import { isKeyword, isOperator, type Token } from './lexer.ts'

/** Where the parser stopped. */
export interface Place {
  readonly text: string
  readonly token: Token
  readonly previous: Token | undefined
}

interface Mistake {
  readonly fits: (place: Place) => boolean
  readonly hint: string | ((place: Place) => string)
}

const MISTAKES: readonly Mistake[] = [
  { fits: (p) => next(p, '=') && last(p) === '=', hint: "equality is one sign: '='" },
  { fits: (p) => next(p, '&&') || next(p, '&'), hint: "write 'and' for '&&'" },
  { fits: (p) => next(p, '||') || next(p, '|'), hint: "write 'or' for '||'" },
  { fits: (p) => next(p, "'"), hint: 'names and strings take double quotes: "name"' },
  {
    fits: (p) => afterDot(p) && isKeyword(p.token.kind),
    hint: (p) => `'${word(p)}' is a keyword: as a name write ["${word(p)}"] without the dot`,
  },
  { fits: (p) => unquoted(p), hint: (p) => `names in brackets take double quotes: ["${word(p)}"]` },
  { fits: (p) => atStart(p), hint: (p) => missingRoot(p) },
  { fits: (p) => next(p, '!'), hint: "write 'not' for '!', and '!=' without a space" },
  { fits: (p) => next(p, '>') && last(p) === '<', hint: "'not equal' is '!='" },
  {
    fits: (p) => next(p, '~'),
    hint: 'there are no regular expressions: use \'contains\', or substring(from, to) = "..."',
  },
  {
    fits: (p) => afterDot(p) && (next(p, '[') || next(p, '?')),
    hint: 'leave the dot out: brackets follow directly, as in $.list[0] or $.list[?(...)]',
  },
  {
    fits: (p) => (afterDot(p) || previous(p) === '..') && p.token.kind === 'end',
    hint: "a name or '*' must follow the last dot",
  },
  {
    fits: (p) => previous(p) === '?',
    hint: 'a filter takes parentheses: [?(@.name = "x")]',
  },
  {
    fits: (p) => outsideFilter(p),
    hint: 'conditions stand in a filter: $[?(@.name = "x")]',
  },
  {
    fits: (p) => breaksName(p),
    hint: 'a name with other characters than letters, digits and _ is written ["like this"]',
  },
  { fits: (p) => afterGroup(p), hint: 'parentheses group conditions only, not values' },
  {
    fits: (p) => /^(and|or|not|contains|true|false|null)$/i.test(word(p)),
    hint: (p) => `keywords are written in lower case: '${word(p).toLowerCase()}'`,
  },
  { fits: (p) => word(p) === 'None', hint: "write 'null' for None" },
  {
    fits: (p) => isNumberLike(p),
    hint: 'numbers are written as in JSON: 0.5, 5, 1e5 (not .5, 5., +5, 05, 1e05)',
  },
]

/** What the author probably meant, or undefined for a mistake that is not a common one. */
export function hintFor(place: Place): string | undefined {
  const hint = MISTAKES.find((mistake) => mistake.fits(place))?.hint
  return typeof hint === 'function' ? hint(place) : hint
}

/** For a call of a function that does not exist. */
export function functionHint(name: string, known: readonly string[]): string {
  const alike = known.find((each) => each.toLowerCase() === name.toLowerCase())
  const like = name === 'size' || name === 'count' ? 'length' : alike
  if (like !== undefined) return `did you mean ${like}()?`
  return `there are ${known.join(', ')}; without '(' after it, a name is a member`
}

function next({ text, token }: Place, expected: string): boolean {
  return text.startsWith(expected, token.offset)
}

/** The character right before the error. */
function last({ text, token }: Place): string | undefined {
  return text[token.offset - 1]
}

function word({ text, token }: Place): string {
  return text.slice(token.offset, token.end)
}

function previous(place: Place): string | undefined {
  return place.previous?.kind
}

function afterDot(place: Place): boolean {
  return previous(place) === '.' || previous(place) === '..'
}

/** `[name]`, but not the last argument of a call. */
function unquoted({ text, token }: Place): boolean {
  if (token.kind !== 'name' && !isKeyword(token.kind)) return false
  const before = text.slice(0, token.offset).trimEnd().at(-1)
  return (before === '[' || before === ',') && !text.slice(token.end).trimStart().startsWith(')')
}

function atStart(place: Place): boolean {
  return place.previous === undefined && place.token.kind !== 'end'
}

function missingRoot(place: Place): string {
  if (place.token.kind === 'name' || isKeyword(place.token.kind))
    return `did you mean $["${word(place)}"]?`
  return "an expression starts with '$', the whole event"
}

function afterGroup(place: Place): boolean {
  if (previous(place) === ')') return isOperator(place.token.kind)
  const before = place.previous?.kind
  return before !== undefined && isOperator(before) && place.token.kind === '('
}

/** `$.café`, `$.a-b`: the name went on with a character that names without quotes cannot have. */
function breaksName(place: Place): boolean {
  const { text, token, previous: before } = place
  return (
    before?.kind === 'name' &&
    before.end === token.offset &&
    /^[^\x20-\x7e]|^[-/#%^]/u.test(text.slice(token.offset))
  )
}

/** `$.a = 1` */
function outsideFilter(place: Place): boolean {
  return isOperator(place.token.kind) && !place.text.slice(0, place.token.offset).includes('?')
}

function isNumberLike(place: Place): boolean {
  const around = place.text.slice(Math.max(place.token.offset - 1, 0), place.token.offset + 2)
  return /^.?[+.][0-9]|^[0-9]\.|^[0-9][0-9]/.test(around)
}
