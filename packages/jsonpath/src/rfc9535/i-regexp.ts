/**
 * I-Regexp (RFC 9485), the patterns of `match` and `search`: checked here, rewritten for the engine
 * (re2js), which knows more than that and reads some of it otherwise. `^` and `$` are anchors, as the
 * compliance suite of RFC 9535 has it.
 *
 *   i-regexp   := branch ('|' branch)*          branch := (atom quantifier?)*
 *   atom       := NormalChar | '.' | escape | class | '(' i-regexp ')'
 *   quantifier := '*' | '+' | '?' | '{' N (',' N?)? '}'
 *   class      := '[' '^'? ('-' | item) item* '-'? ']'
 *   item       := char ('-' char)? | property
 */

import { JsonPathLimitError } from '../errors.ts'
import { PATTERN_LIMITS } from '../limits.ts'

export interface CheckedPattern {
  /** For the engine. */
  readonly text: string
  /** States that the engine needs for it, about: repetitions are written out. */
  readonly size: number
}

/**
 * Undefined: it is no I-Regexp, and matches nothing.
 * Throws a JsonPathLimitError for a pattern that is too long, or repeats too often.
 */
export function checkPattern(source: string): CheckedPattern | undefined {
  if (source.length > PATTERN_LIMITS.pattern)
    throw new JsonPathLimitError('pattern', PATTERN_LIMITS.pattern)
  const scan: Scan = { source, at: 0 }
  const checked = alternatives(scan)
  return checked && scan.at === source.length ? checked : undefined
}

interface Scan {
  readonly source: string
  at: number
}

function alternatives(scan: Scan): CheckedPattern | undefined {
  let text = ''
  let size = 1
  for (;;) {
    const one = branch(scan)
    if (one === undefined) return undefined
    text += one.text
    size = bounded(size + one.size)
    if (!accept(scan, '|')) return { text, size }
    text += '|'
  }
}

function branch(scan: Scan): CheckedPattern | undefined {
  let text = ''
  let size = 0
  while (scan.at < scan.source.length && !'|)'.includes(scan.source.charAt(scan.at))) {
    const one = atom(scan)
    const times = one && quantifier(scan)
    if (one === undefined || times === undefined) return undefined
    text += one.text + times.text
    size = bounded(size + one.size * times.size)
  }
  return { text, size }
}

function bounded(size: number): number {
  if (size > PATTERN_LIMITS.expansion)
    throw new JsonPathLimitError('expansion', PATTERN_LIMITS.expansion)
  return size
}

function atom(scan: Scan): CheckedPattern | undefined {
  if (accept(scan, '(')) {
    const inner = alternatives(scan)
    return inner && accept(scan, ')') ? { ...inner, text: `(?:${inner.text})` } : undefined
  }
  const text = single(scan)
  return text === undefined ? undefined : { text, size: 1 }
}

function single(scan: Scan): string | undefined {
  if (accept(scan, '.')) return '[^\\n\\r]'
  if (accept(scan, '[')) return characters(scan)
  if (scan.source[scan.at] === '\\') return property(scan) ?? escaped(scan)
  if (accept(scan, '^')) return '^'
  if (accept(scan, '$')) return '$'
  return plain(scan, /[^()*+.?[\\\]{|}\ud800-\udfff]/uy)
}

/** `{n}`, `{n,}`, `{n,m}`, `*`, `+`, `?` or nothing; the size is how often it writes out the atom. */
function quantifier(scan: Scan): CheckedPattern | undefined {
  const [text = '', least, comma, most] = take(scan, /[*+?]|\{([0-9]+)(,([0-9]+)?)?\}/y) ?? []
  if (least === undefined) return { text, size: 1 }
  const counts = [Number(least), Number(most ?? least)]
  const size = Math.max(1, ...counts)
  if (size > PATTERN_LIMITS.repetition)
    throw new JsonPathLimitError('repetition', PATTERN_LIMITS.repetition)
  const end = comma === undefined ? '' : `,${most === undefined ? '' : counts[1]}`
  return { text: `{${counts[0]}${end}}`, size }
}

/** What stands between `[` and `]`. */
function characters(scan: Scan): string | undefined {
  let text = accept(scan, '^') ? '[^' : '['
  let items = 0
  if (accept(scan, '-')) {
    text += '\\-'
    items = 1
  }
  while (!accept(scan, ']')) {
    const one = items > 0 && accept(scan, '-]') ? ']' : item(scan)
    if (one === undefined) return undefined
    if (one === ']') return `${text}\\-]`
    text += one
    items += 1
  }
  return items === 0 ? undefined : `${text}]`
}

function item(scan: Scan): string | undefined {
  const class_ = property(scan)
  if (class_ !== undefined) return class_
  const first = character(scan)
  if (first === undefined || scan.source[scan.at] !== '-' || scan.source[scan.at + 1] === ']')
    return first
  scan.at += 1
  const last = character(scan)
  return last === undefined ? undefined : `${first}-${last}`
}

function character(scan: Scan): string | undefined {
  return plain(scan, /[^\-[\\\]\ud800-\udfff]/uy) ?? escaped(scan)
}

/** `\p{Lu}`, `\P{L}` */
function property(scan: Scan): string | undefined {
  const categories = 'L[lmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|Z[lps]?|S[ckmo]?|C[cfno]?' as const
  return take(scan, new RegExp(`\\\\[pP]\\{(?:${categories})\\}`, 'y'))?.[0]
}

function escaped(scan: Scan): string | undefined {
  const found = take(scan, /\\([()*+\-.?[\\\]^{|}nrt])/y)?.[1]
  if (found === undefined) return undefined
  return /[nrt]/.test(found) ? `\\${found}` : literally(found)
}

function plain(scan: Scan, pattern: RegExp): string | undefined {
  const found = take(scan, pattern)?.[0]
  return found === undefined ? undefined : literally(found)
}

/** Nothing but letters and digits goes to the engine as it is. */
function literally(character: string): string {
  if (/[0-9A-Za-z]/.test(character)) return character
  return `\\x{${character.codePointAt(0)?.toString(16)}}`
}

function accept(scan: Scan, text: string): boolean {
  if (!scan.source.startsWith(text, scan.at)) return false
  scan.at += text.length
  return true
}

function take(scan: Scan, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = scan.at
  const found = pattern.exec(scan.source)
  if (found) scan.at = pattern.lastIndex
  return found ?? undefined
}
