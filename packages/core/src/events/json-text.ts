/**
 * Finds and replaces members in JSON text without touching a byte elsewhere: `JSON.parse` and `JSON.stringify` would
 * turn 1.0 into 1, 12345678901234567890 into 12345678901234567000, and lose duplicates and white space.
 * Everything but `deeperThan` expects text that `JSON.parse` has accepted.
 */

/** A value's place in the text: from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A member of an object: its name, decoded, and where its value stands. */
export interface MemberSpan extends Span {
  readonly name: string
}

const QUOTE = 0x22
const COMMA = 0x2c
const BACKSLASH = 0x5c
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/** True when lists and objects are nested more than `limit` deep. Any text will do; it never recurses. */
export function deeperThan(text: string, limit: number): boolean {
  return hasMoreOpenings(text, limit) && nestsDeeper(text, limit)
}

/** To count them, up to the limit, is several times faster than to read the text, and nearly always enough. */
function hasMoreOpenings(text: string, limit: number): boolean {
  let left = limit
  for (const opening of ['{', '[']) {
    for (let at = text.indexOf(opening); at !== -1; at = text.indexOf(opening, at + 1)) {
      if (left === 0) return true
      left -= 1
    }
  }
  return false
}

function nestsDeeper(text: string, limit: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) at = endOfString(text, at) - 1
    else if (isOpening(code)) {
      depth += 1
      if (depth > limit) return true
    } else if (isClosing(code)) depth -= 1
  }
  return false
}

/** The first place at or after `at` that is not white space. */
export function skipSpace(text: string, at: number): number {
  let next = at
  while (isSpace(text.charCodeAt(next))) next += 1
  return next
}

/** The members of the object whose `{` stands at `at`, in the order of the text, duplicates included. */
export function membersOf(text: string, at: number): MemberSpan[] {
  const members: MemberSpan[] = []
  let next = skipSpace(text, at + 1)
  while (text.charCodeAt(next) === QUOTE) {
    const nameEnd = endOfString(text, next)
    const name = JSON.parse(text.slice(next, nameEnd)) as string
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    const end = endOfValue(text, start)
    members.push({ name, start, end })
    next = afterComma(text, end)
  }
  return members
}

/** The elements of the list whose `[` stands at `at`. */
export function elementsOf(text: string, at: number): Span[] {
  const elements: Span[] = []
  let start = skipSpace(text, at + 1)
  while (text.charCodeAt(start) !== CLOSE_LIST) {
    const end = endOfValue(text, start)
    elements.push({ start, end })
    start = afterComma(text, end)
  }
  return elements
}

/** The text of the member that counts: of duplicates the last, as for `JSON.parse`. `text` is one object. */
export function memberText(text: string, name: string): string | undefined {
  const member = membersOf(text, skipSpace(text, 0)).findLast((each) => each.name === name)
  return member && text.slice(member.start, member.end)
}

/**
 * The object's text with some members set to the given JSON texts. A member that is there keeps its place; when it
 * stands there twice both get the new value, so that every reader sees it, whichever duplicate that reader believes.
 * New members follow the last one.
 */
export function setMembers(text: string, values: ReadonlyMap<string, string>): string {
  const at = skipSpace(text, 0)
  const members = membersOf(text, at)
  const missing = new Map(values)
  let result = ''
  let copied = 0
  for (const { name, start, end } of members) {
    const value = values.get(name)
    if (value === undefined) continue
    missing.delete(name)
    result += text.slice(copied, start) + value
    copied = end
  }
  if (missing.size === 0) return result + text.slice(copied)
  const tail = members.at(-1)?.end ?? at + 1
  const added = [...missing].map(([name, value]) => `${JSON.stringify(name)}: ${value}`)
  const comma = members.length > 0 ? ', ' : ''
  return result + text.slice(copied, tail) + comma + added.join(', ') + text.slice(tail)
}

function endOfString(text: string, at: number): number {
  for (let next = at + 1; next < text.length; next += 1) {
    const code = text.charCodeAt(next)
    if (code === QUOTE) return next + 1
    if (code === BACKSLASH) next += 1
  }
  return text.length
}

function endOfValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === QUOTE) return endOfString(text, at)
  return isOpening(first) ? endOfContainer(text, at) : endOfWord(text, at)
}

function endOfContainer(text: string, at: number): number {
  let depth = 0
  for (let next = at; next < text.length; next += 1) {
    const code = text.charCodeAt(next)
    if (code === QUOTE) next = endOfString(text, next) - 1
    else if (isOpening(code)) depth += 1
    else if (isClosing(code)) {
      depth -= 1
      if (depth === 0) return next + 1
    }
  }
  return text.length
}

function endOfWord(text: string, at: number): number {
  let next = at
  while (next < text.length) {
    const code = text.charCodeAt(next)
    if (code === COMMA || isClosing(code) || isSpace(code)) break
    next += 1
  }
  return next
}

function afterComma(text: string, at: number): number {
  const next = skipSpace(text, at)
  return text.charCodeAt(next) === COMMA ? skipSpace(text, next + 1) : next
}

function isOpening(code: number): boolean {
  return code === OPEN_OBJECT || code === OPEN_LIST
}

function isClosing(code: number): boolean {
  return code === CLOSE_OBJECT || code === CLOSE_LIST
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
}
