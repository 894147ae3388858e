/** The lines of an INI file become its entries: which key stands where, with a value in one part for each line. */

export interface IniEntry {
  readonly section: string
  readonly key: string
  /** Counted from 1. */
  readonly line: number
  readonly parts: readonly string[]
}

export interface IniOptions {
  /** Keys are told apart by case, as CherryPy does. Default: they are not. */
  readonly caseSensitive?: boolean
}

/** Its keys hold for every section that does not say otherwise. */
export const DEFAULTS = 'DEFAULT'

/** `wrong` is called for each line that cannot be read. */
export function readEntries(
  text: string,
  options: IniOptions,
  wrong: (line: number, message: string) => void,
): IniEntry[] {
  const reader = new EntryReader(options, wrong)
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|[\r\n]/)
  for (const [index, line] of lines.entries()) reader.take(line, index + 1)
  return reader.entries
}

type Wrong = Parameters<typeof readEntries>[2]
type Entry = IniEntry & { readonly parts: string[] }

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

/** What is before `=` or `:` is no secret; what is after may be one. */
function shown(text: string): string {
  const [name = ''] = text.split(/[=:@]/)
  return JSON.stringify(name.length > 40 ? `${name.slice(0, 40)}…` : name)
}
