/**
 * Where a text stops being JSON (RFC 8259), in words: what JSON.parse says differs between versions of Node and often
 * has no place. Used only for texts that JSON.parse has refused. Iterative: depth costs no stack.
 */
export interface JsonErrorPlace {
  readonly message: string
  readonly line: number
  readonly column: number
}

const SPACE = /[ \t\n\r]*/y
const SCALAR = /true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these in strings
const PLAIN = /[^"\\\u0000-\u001f]*/y
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** Undefined when the text is JSON. */
export function jsonErrorPlace(text: string): JsonErrorPlace | undefined {
  const fault = scan(text)
  if (fault === undefined) return undefined
  const before = text.slice(0, fault.offset)
  const line = before.split('\n').length
  return { message: fault.message, line, column: fault.offset - before.lastIndexOf('\n') }
}

interface Fault {
  readonly offset: number
  readonly message: string
}

/** What may come next. `first-*` are the places just after an opening bracket, where it may close at once. */
type Expected = 'value' | 'first-item' | 'first-key' | 'key' | 'colon' | 'end-of-item'

const IN_WORDS: Record<Expected, string> = {
  value: 'a value',
  'first-item': "a value or ']'",
  'first-key': "a key in double quotes or '}'",
  key: 'a key in double quotes',
  colon: "':'",
  'end-of-item': "',' or a closing bracket",
}

function scan(text: string): Fault | undefined {
  const open: ('[' | '{')[] = []
  let expected: Expected = 'value'
  let offset = skip(SPACE, text, 0)
  for (;;) {
    const came = next(text, offset, expected, open)
    if (came === undefined) return fault(text, offset, expected, open)
    offset = skip(SPACE, text, came.offset)
    expected = came.expected
    if (expected === 'end-of-item' && open.length === 0) {
      return offset === text.length ? undefined : { offset, message: 'text after the end' }
    }
  }
}

interface Step {
  readonly offset: number
  readonly expected: Expected
}

function next(
  text: string,
  offset: number,
  expected: Expected,
  open: ('[' | '{')[],
): Step | undefined {
  const char = text[offset]
  const inside = open.at(-1)
  switch (expected) {
    case 'colon':
      return char === ':' ? { offset: offset + 1, expected: 'value' } : undefined
    case 'end-of-item':
      if (char === ',') return { offset: offset + 1, expected: inside === '{' ? 'key' : 'value' }
      return closing(char, offset, open)
    case 'first-key':
      if (char === '}') return closing(char, offset, open)
      return step(offset, endOfString(text, offset), 'colon')
    case 'key':
      return step(offset, endOfString(text, offset), 'colon')
    case 'first-item':
      return char === ']' ? closing(char, offset, open) : value(text, offset, open)
    case 'value':
      return value(text, offset, open)
  }
}

function value(text: string, offset: number, open: ('[' | '{')[]): Step | undefined {
  const char = text[offset]
  if (char === '[' || char === '{') {
    open.push(char)
    return { offset: offset + 1, expected: char === '[' ? 'first-item' : 'first-key' }
  }
  const end = char === '"' ? endOfString(text, offset) : skip(SCALAR, text, offset)
  return step(offset, end, 'end-of-item')
}

function closing(char: string | undefined, offset: number, open: ('[' | '{')[]): Step | undefined {
  if (char !== (open.at(-1) === '{' ? '}' : ']')) return undefined
  open.pop()
  return { offset: offset + 1, expected: 'end-of-item' }
}

function step(offset: number, end: number, expected: Expected): Step | undefined {
  return end === offset ? undefined : { offset: end, expected }
}

/** The offset after the string that begins at `offset`; `offset` itself when there is none. */
function endOfString(text: string, offset: number): number {
  if (text[offset] !== '"') return offset
  let at = offset + 1
  for (;;) {
    const end = skip(PLAIN, text, at)
    if (text[end] === '"') return end + 1
    at = skip(ESCAPE, text, end)
    if (at === end) return offset
  }
}

function skip(pattern: RegExp, text: string, offset: number): number {
  pattern.lastIndex = offset
  return pattern.test(text) ? pattern.lastIndex : offset
}

function fault(text: string, offset: number, expected: Expected, open: readonly string[]): Fault {
  const char = text[offset]
  if (char === undefined)
    return { offset, message: `the text ends where ${IN_WORDS[expected]} should stand` }
  if (char === '"' && expected !== 'colon' && expected !== 'end-of-item') {
    return {
      offset,
      message: 'a string that does not end, or with a bad escape or control character',
    }
  }
  const closer = open.at(-1) === '{' ? "'}'" : "']'"
  const wanted = expected === 'end-of-item' ? `',' or ${closer}` : IN_WORDS[expected]
  return { offset, message: `${JSON.stringify(char)} where ${wanted} should stand` }
}
