/** JSON values inside an expression, decoded as JSON.parse does (jsonpath2 keeps escapes raw: D2). */

import type { Reader } from './reader.ts'
import type { Json, Literal } from './tree.ts'

const EXPECTED = "a path ('$' or '@') or a JSON value"

/** literal := value */
export function literal(reader: Reader): Literal {
  const { offset, kind } = reader.token
  const float = kind === 'number' && !isWhole(reader.word)
  return { kind: 'literal', value: value(reader), float, offset }
}

/** value := STRING | NUMBER | 'true' | 'false' | 'null' | array | object */
function value(reader: Reader): Json {
  switch (reader.token.kind) {
    case 'string':
      return reader.node(string(reader))
    case 'number':
      return reader.node(number(reader))
    case 'true':
    case 'false':
      return reader.node(reader.take().kind === 'true')
    case 'null':
      reader.take()
      return reader.node(null)
    case '[':
      return reader.node(reader.nested(() => array(reader)))
    case '{':
      return reader.node(reader.nested(() => object(reader)))
    default:
      return reader.fail(EXPECTED)
  }
}

/** array := '[' ']' | '[' value (',' value)* ']' */
function array(reader: Reader): Json[] {
  reader.take()
  const items: Json[] = []
  if (reader.accept(']')) return items
  do items.push(value(reader))
  while (reader.accept(','))
  reader.expect(']', "',' or ']'")
  return items
}

/** object := '{' '}' | '{' pair (',' pair)* '}'        pair := STRING ':' value */
function object(reader: Reader): Json {
  reader.take()
  const members: { [key: string]: Json } = {}
  if (reader.accept('}')) return members
  do {
    if (reader.token.kind !== 'string') reader.fail('a name in double quotes')
    const key = string(reader)
    reader.expect(':', "':'")
    define(members, key, value(reader))
  } while (reader.accept(','))
  reader.expect('}', "',' or '}'")
  return members
}

/** STRING, decoded. The lexer has let only JSON strings through. */
export function string(reader: Reader): string {
  const text = reader.word
  reader.take()
  return JSON.parse(text) as string
}

/** NUMBER without a point or an exponent. */
export function isWhole(text: string): boolean {
  return !/[.eE]/.test(text)
}

function number(reader: Reader): number {
  const text = reader.word
  reader.take()
  return Number(text) + 0 // -0 is 0
}

/** Assignment would call the setter of `__proto__`. A repeated key keeps its first place. */
function define(members: object, key: string, value: Json): void {
  Object.defineProperty(members, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  })
}
