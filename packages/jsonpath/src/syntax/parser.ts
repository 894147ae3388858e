/**
 * jsonpath2, by recursive descent: one function per grammar rule, the rule above it. One token of
 * lookahead is enough everywhere. Limits are kept by the reader while the tree grows.
 */

import { JsonPathSyntaxError } from '../errors.ts'
import { FUNCTION_NAMES } from '../functions/table.ts'
import { MAX_INTEGER } from '../limits.ts'
import { functionHint } from './hints.ts'
import { isOperator, type Token } from './lexer.ts'
import { isWhole, literal, string } from './literal.ts'
import { Reader } from './reader.ts'
import type {
  Call,
  Expression,
  Filter,
  Name,
  Not,
  Operand,
  Path,
  Step,
  Sub,
  Variadic,
} from './tree.ts'

/** `optional`: a text that does not begin with `$` is read as if `$.` (or `$`) stood before it. */
export type Root = 'strict' | 'optional'

export interface Parsed {
  readonly path: Path
  /** Where `and` and `or` stand side by side without parentheses: the tree does not show it. */
  readonly mixed: readonly number[]
}

const SUB = "a name in double quotes, a number, a slice, '*', ?(...), a path or a function call"
const STEP = "'.', '..', '[' or the end"

/** path := '$' step* EOF */
export function parseText(text: string, root: Root): Parsed {
  const reader = new Reader(text)
  const mixed: number[] = []
  const parser: Parser = { reader, mixed }
  const offset = reader.token.offset
  const first = root === 'optional' ? impliedStep(parser) : []
  if (first === undefined || root === 'strict') reader.expect('$', "'$'")
  const rest = steps(parser)
  if (reader.token.kind !== 'end') reader.fail(STEP)
  const path: Path = reader.node({
    kind: 'path',
    origin: '$',
    steps: [...(first ?? []), ...rest],
    offset,
  })
  return { path, mixed }
}

interface Parser {
  readonly reader: Reader
  readonly mixed: number[]
}

/** With an optional root: undefined for `$…`, nothing for `[…`, `.…` and `..…`, else a bareword. */
function impliedStep(parser: Parser): Step[] | undefined {
  const { kind, offset } = parser.reader.token
  if (kind === '$') return undefined
  if (kind === '[' || kind === '.' || kind === '..') return []
  if (kind === 'name' || kind === '*') return [step(parser, offset, false, [bareword(parser)])]
  return undefined
}

/** subpath := ('$' | '@') step* */
function subpath(parser: Parser): Path {
  const { kind, offset } = parser.reader.take()
  const origin = kind === '$' ? '$' : '@'
  return parser.reader.node({ kind: 'path', origin, steps: steps(parser), offset })
}

/** step := '.' bareword | '..' (bareword | brackets) | brackets */
function steps(parser: Parser): Step[] {
  const { reader } = parser
  const found: Step[] = []
  for (;;) {
    const { kind, offset } = reader.token
    if (kind === '[') {
      found.push(step(parser, offset, false, brackets(parser)))
    } else if (kind === '.') {
      reader.take()
      found.push(step(parser, offset, false, [bareword(parser)]))
    } else if (kind === '..') {
      reader.take()
      const subs = reader.token.kind === '[' ? brackets(parser) : [bareword(parser)]
      found.push(step(parser, offset, true, subs))
    } else {
      return found
    }
  }
}

function step(parser: Parser, offset: number, descends: boolean, subs: Sub[]): Step {
  return parser.reader.node({ descends, subs, offset })
}

/** bareword := ID | ID '(' args? ')' | '*' */
function bareword(parser: Parser): Sub {
  const { reader } = parser
  const { offset } = reader.token
  if (reader.accept('*')) return reader.node({ kind: 'wildcard', offset })
  const name = reader.word
  const token = reader.expect('name', "a name or '*'")
  if (reader.token.kind === '(') return call(parser, name, token)
  return reader.node<Name>({ kind: 'name', name, offset })
}

/** brackets := '[' sub (',' sub)* ']' */
function brackets(parser: Parser): Sub[] {
  const { reader } = parser
  return reader.nested(() => {
    reader.take()
    const subs: Sub[] = []
    do subs.push(sub(parser))
    while (reader.accept(','))
    reader.expect(']', "',' or ']'")
    return subs
  })
}

/** sub := STRING | INT | slice | '*' | '?' '(' expr ')' | subpath | ID '(' args? ')' */
function sub(parser: Parser): Sub {
  const { reader } = parser
  const { offset, kind } = reader.token
  switch (kind) {
    case 'string':
      return reader.node({ kind: 'name', name: string(reader), offset })
    case 'number':
    case ':':
      return indexOrSlice(reader)
    case '*':
      reader.take()
      return reader.node({ kind: 'wildcard', offset })
    case '?':
      return filter(parser)
    case '$':
    case '@':
      return reader.node({ kind: 'subpath', path: subpath(parser), offset })
    case 'name': {
      const name = reader.word
      const token = reader.take()
      if (reader.token.kind !== '(') throw reader.error(`unexpected '${name}'`, SUB, token)
      return call(parser, name, token)
    }
    default:
      return reader.fail(SUB)
  }
}

/** slice := INT? ':' INT? (':' INT?)? */
function indexOrSlice(reader: Reader): Sub {
  const { offset } = reader.token
  const start = optionalInteger(reader)
  if (!reader.accept(':')) return reader.node({ kind: 'index', index: start ?? 0, offset })
  const end = optionalInteger(reader)
  const token = reader.accept(':') ? reader.token : undefined
  const step = token && optionalInteger(reader)
  if (token && step === 0) throw reader.error('a step of 0', 'a step other than 0', token)
  return reader.node({ kind: 'slice', start, end, step, offset })
}

/** INT := NUMBER without point and exponent (what Python's int() accepts); -0 is 0 */
function optionalInteger(reader: Reader): number | undefined {
  if (reader.token.kind !== 'number') return undefined
  const text = reader.word
  if (!isWhole(text)) reader.fail('a whole number')
  reader.take()
  return Math.min(Math.max(Number(text), -MAX_INTEGER), MAX_INTEGER) + 0
}

/** '?' '(' expr ')' */
function filter(parser: Parser): Filter {
  const { reader } = parser
  const { offset } = reader.take()
  if (reader.token.kind !== '(') reader.fail("'(' after '?'")
  return reader.node({ kind: 'filter', expression: group(parser), offset })
}

/** '(' expr ')' */
function group(parser: Parser): Expression {
  const { reader } = parser
  return reader.nested(() => {
    reader.take()
    const inner = expression(parser)
    reader.expect(')', "'and', 'or' or ')'")
    return inner
  })
}

/** ID '(' args? ')'        args := operand (',' operand)* */
function call(parser: Parser, name: string, token: Token): Call {
  const { reader } = parser
  if (!FUNCTION_NAMES.includes(name)) throw unknownFunction(reader, name, token)
  return reader.nested(() => {
    reader.take()
    const args: Operand[] = []
    if (!reader.accept(')')) {
      do args.push(operand(parser))
      while (reader.accept(','))
      reader.expect(')', "',' or ')'")
    }
    return reader.node({ kind: 'call', name, args, offset: token.offset })
  })
}

/** expr := or ('and' or)*        'or' binds tighter than 'and' */
function expression(parser: Parser): Expression {
  const { reader } = parser
  const groups = [disjunction(parser)]
  while (reader.accept('and')) groups.push(disjunction(parser))
  const loose = groups.find((terms) => terms.length > 1)
  if (loose?.[0] && groups.length > 1) parser.mixed.push(loose[0].offset)
  return variadic(
    parser,
    'and',
    groups.map((terms) => variadic(parser, 'or', terms)),
  )
}

/** or := not ('or' not)* */
function disjunction(parser: Parser): Expression[] {
  const terms = [negation(parser)]
  while (parser.reader.accept('or')) terms.push(negation(parser))
  return terms
}

/** not := 'not' not | '(' expr ')' | operand (operator operand)? */
function negation(parser: Parser): Expression {
  const { reader } = parser
  const { kind, offset } = reader.token
  if (kind === '(') return group(parser)
  if (kind !== 'not') return comparison(parser)
  reader.take()
  const term = reader.nested(() => negation(parser))
  return reader.node<Not>({ kind: 'not', term, offset })
}

/** operator := '=' | '!=' | '<' | '<=' | '>' | '>=' | 'contains' */
function comparison(parser: Parser): Expression {
  const { reader } = parser
  const { offset } = reader.token
  const left = operand(parser)
  const { kind } = reader.token
  if (!isOperator(kind)) return reader.node({ kind: 'bare', operand: left, offset })
  reader.take()
  return reader.node({ kind: 'comparison', operator: kind, left, right: operand(parser), offset })
}

/** operand := subpath | value */
function operand(parser: Parser): Operand {
  const { kind } = parser.reader.token
  return kind === '$' || kind === '@' ? subpath(parser) : literal(parser.reader)
}

function variadic(parser: Parser, kind: 'and' | 'or', terms: readonly Expression[]): Expression {
  const [first] = terms
  if (first && terms.length === 1) return first
  const flat = terms.flatMap((term) => (term.kind === kind ? term.terms : [term]))
  return parser.reader.node<Variadic>({ kind, terms: flat, offset: first?.offset ?? 0 })
}

function unknownFunction(reader: Reader, name: string, token: Token): JsonPathSyntaxError {
  return new JsonPathSyntaxError(`there is no function '${name}'`, {
    code: 'JSONPATH_FUNCTION',
    text: reader.text,
    offset: token.offset,
    expected: `one of ${FUNCTION_NAMES.join(', ')}`,
    hint: functionHint(name, FUNCTION_NAMES),
  })
}
