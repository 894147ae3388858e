/**
 * INI files as Python's configparser reads them, because that is what existing sites have: `=` or `:`, names of keys in
 * any case, `#` and `;` at the begin of a line, values that go on in deeper indented lines, `%(name)s` and `%%`.
 * https://docs.python.org/3/library/configparser.html#supported-ini-file-structure
 */
import { ConfigError, type ConfigMistake } from './config-error.ts'
import { DEFAULTS, type IniEntry, type IniOptions, readEntries } from './ini-entries.ts'
import { interpolate } from './interpolate.ts'
import type { IniFile } from './read-config.ts'

export type { IniOptions }

/**
 * @param file its name, for messages
 * @throws ConfigError with every line that is wrong
 */
export function parseIni(text: string, file: string, options: IniOptions = {}): IniFile {
  const mistakes: ConfigMistake[] = []
  const wrong = (line: number, message: string) => {
    mistakes.push({ name: `line ${line} of ${file}`, message })
  }
  const entries = readEntries(text, options, wrong)
  const written = new Map(entries.map((entry) => [placeOf(entry), textOf(entry)]))
  const helpers = new Set<string>()
  const values = entries.map((entry) => {
    const value = interpolate(textOf(entry), (name) => {
      const key = options.caseSensitive ? name : name.toLowerCase()
      const own = `${entry.section}.${key}`
      const place = written.has(own) ? own : `${DEFAULTS}.${key}`
      helpers.add(place)
      return written.get(place)
    })
    if ('text' in value) return value.text
    wrong(entry.line, `${entry.key}: ${value.wrong}`)
    return ''
  })
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return {
    file,
    sections: bySection(entries, (_, index) => values[index] ?? ''),
    lines: bySection(entries, ({ line }) => line),
    helpers: [...helpers],
  }
}

function bySection<T>(
  entries: readonly IniEntry[],
  pick: (entry: IniEntry, index: number) => T,
): Record<string, Record<string, T>> {
  const sections = new Map<string, [string, T][]>()
  for (const [index, entry] of entries.entries()) {
    const pairs = sections.get(entry.section) ?? []
    sections.set(entry.section, [...pairs, [entry.key, pick(entry, index)]])
  }
  // Own properties, whatever they are called.
  return Object.fromEntries([...sections].map(([name, pairs]) => [name, Object.fromEntries(pairs)]))
}

function placeOf({ section, key }: IniEntry): string {
  return `${section}.${key}`
}

function textOf({ parts }: IniEntry): string {
  return parts.join('\n').trimEnd()
}
