/**
 * CherryPy's configuration file, which existing sites have: of its many settings ours are the address and the port.
 * What speaks of logs, threads and tools means nothing here and is passed over; TLS would be missed, so it is refused.
 * https://docs.cherrypy.dev/en/latest/config.html
 */
import { ConfigError, type ConfigMistake } from './config-error.ts'
import { parseIni } from './ini.ts'
import type { IniFile } from './read-config.ts'

export interface CherryPyFile {
  /** Only what is taken, unquoted: `global` → `server.socket_host`, `server.socket_port`. */
  readonly ini: IniFile
  /** `section key` of what is passed over. */
  readonly ignored: readonly string[]
}

const TAKEN = ['server.socket_host', 'server.socket_port']
const MEANINGLESS =
  /^(log|engine|checker|request|response|tools|hooks|tree|wsgi|error_page|autoreload|server)\.|^environment$/
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [
    /^server\.ssl_/,
    'TLS is left to a proxy in front of the service: set the proxy up, and remove the line',
  ],
  [/^server\.socket_file$/, 'give server.socket_host and server.socket_port instead'],
]

/** @throws ConfigError naming the lines that have to be changed */
export function parseCherryPy(text: string, file: string): CherryPyFile {
  const { sections, lines = {} } = parseIni(text, file, { caseSensitive: true })
  const mistakes: ConfigMistake[] = []
  const taken: Record<string, string> = {}
  const ignored: string[] = []
  for (const [section, keys] of Object.entries(sections)) {
    for (const [key, value] of Object.entries(keys)) {
      const wrong = refuse(section, key)
      if (wrong !== undefined) {
        const name = `[${section}] ${key}, line ${lines[section]?.[key]} of ${file}`
        mistakes.push({ name, message: wrong })
      } else if (section === 'global' && TAKEN.includes(key)) taken[key] = unquoted(value)
      else ignored.push(`[${section}] ${key}`)
    }
  }
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return { ini: { file, sections: { global: taken }, lines }, ignored }
}

function refuse(section: string, key: string): string | undefined {
  const reason = REFUSED.find(([pattern]) => pattern.test(key))?.[1]
  if (reason !== undefined) return reason
  if (section !== 'global' && TAKEN.includes(key)) return 'belongs into [global]'
  return MEANINGLESS.test(key) ? undefined : 'no setting of CherryPy that means anything here'
}

/** Values are Python's: `'0.0.0.0'`. */
function unquoted(value: string): string {
  return /^(['"])(.*)\1$/.exec(value)?.[2] ?? value
}
