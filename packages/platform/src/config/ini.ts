/**
 * INI files as Python's configparser reads them, because that is what existing sites have: `=` or `:`, names of keys in
 * any case, `#` and `;` at the begin of a line, values that go on in deeper indented lines, `%(name)s` and `%%`.
 * https://docs.python.org/3/library/configparser.html#supported-ini-file-structure
 */
import { ConfigError, type ConfigMistake } from './config-error.ts'
import { interpolate } from './interpolate.ts'
import type { IniFile } from './read-config.ts'

export interface IniOptions {
  /** Keys are told apart by case, as CherryPy does. Default: they are not. */
  readonly caseSensitive?: boolean
}

/** Its keys hold for every section that does not say otherwise. */
const DEFAULTS = 'DEFAULT'

interface Entry {
  readonly section: string
  readonly key: string
  /** Counted from 1. */
  readonly line: number
  readonly parts: string[]
}

/**
 * @param file its name, for messages
 * @throws ConfigError with every line that is wrong
 */
export function parseIni(text: string, file: string, options: IniOptions = {}): IniFile {
  const mistakes: ConfigMistake[] = []
  const wrong = (line: number, message: string) =>
    mistakes.push({ name: `line ${line} of ${file}`, message })
  const entries = readEntries(text.replace(/^\uFEFF/, ''), options, wrong)
  const raw = new Map(entries.map((entry) => [nameOf(entry), valueOf(entry)]))
  const helpers = new Set<string>()
  const sections: Record<string, Record<string, string>> = {}
  const lines: Record<string, Record<string, number>> = {}
  for (const entry of entries) {
    const { section, key, line } = entry
    const lookUp = (name: string) => {
      const known = options.caseSensitive ? name : name.toLowerCase()
      const own = `${section}.${known}`
      const place = raw.has(own) ? own : `${DEFAULTS}.${known}`
      helpers.add(place)
      return raw.get(place)
    }
    const value = interpolate(valueOf(entry), lookUp)
    if ('wrong' in value) wrong(line, `${key}: ${value.wrong}`)
    else (sections[section] ??= {})[key] = value.text
    ;(lines[section] ??= {})[key] = line
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return { file, sections, lines, helpers: [...helpers] }
}

type Wrong = (line: number, message: string) => void

function readEntries(text: string, options: IniOptions, wrong: Wrong): Entry[] {
  const reader = new EntryReader(options, wrong)
  for (const [index, line] of text.split(/\r\n|[\r\n]/).entries()) reader.take(line, index + 1)
  return reader.entries
}

class EntryReader {
  readonly entries: Entry[] = []
  readonly #options: IniOptions
  readonly #wrong: Wrong
  readonly #seen = new Map<string, number>()
  #section: string | undefined
  #entry: Entry | undefined
  #indent = 0

  constructor(options: IniOptions, wrong: Wrong) {
    this.#options = options
    this.#wrong = wrong
  }

  take(line: string, number: number): void {
    const text = line.trim()
    if (/^[#;]/.test(text)) return
    if (text === '') {
      this.#entry?.parts.push('') // within a value it counts; at the end it is cut off
      return
    }
    const indent = line.search(/\S/)
    if (this.#entry !== undefined && indent > this.#indent) {
      this.#entry.parts.push(text)
      return
    }
    this.#indent = indent
    this.#takeNew(text, number)
  }

  #takeNew(text: string, line: number): void {
    this.#entry = undefined
    const section = /^\[(.+)\]/.exec(text)?.[1]
    if (section !== undefined) this.#takeSection(section, line)
    else if (this.#section === undefined)
      this.#wrong(line, `${shown(text)} stands before the first [section]`)
    else this.#takeKey(text, this.#section, line)
  }

  #takeSection(section: string, line: number): void {
    if (section !== DEFAULTS) this.#once(`[${section}]`, line)
    this.#section = section
  }

  #takeKey(text: string, section: string, line: number): void {
    const [, name, value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(text) ?? []
    if (name === undefined) {
      this.#wrong(line, `${shown(text)} is neither [section] nor key = value`)
      return
    }
    const key = this.#options.caseSensitive ? name : name.toLowerCase()
    this.#once(`${key} in [${section}]`, line)
    this.#entry = { section, key, line, parts: [value] }
    this.entries.push(this.#entry)
  }

  #once(what: string, line: number): void {
    const first = this.#seen.get(what)
    if (first === undefined) this.#seen.set(what, line)
    else this.#wrong(line, `${what} stands in line ${first} already`)
  }
}

function nameOf({ section, key }: Entry): string {
  return `${section}.${key}`
}

function valueOf({ parts }: Entry): string {
  return parts.join('\n').trimEnd()
}

/** What is before `=` or `:` is no secret; what is after may be one. */
function shown(text: string): string {
  const [name = ''] = text.split(/[=:@]/)
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name)
}
