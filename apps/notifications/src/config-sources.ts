/**
 * Where the settings of this process come from: the environment, then the INI file, then CherryPy's file. The files are
 * those that are named, or else those that the Python service looks for in the home folder, if they are there.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CherryPyFile,
  ConfigError,
  type ConfigMistake,
  type ConfigSources,
  type IniFile,
  parseCherryPy,
  parseIni,
} from '@pacifica/platform'

type Environment = ConfigSources['env']

export interface NamedFiles {
  /** `-c`; it wins over NOTIFICATIONS_CONFIG. */
  readonly config?: string | undefined
  /** `--cpconfig`; it wins over NOTIFICATIONS_CPCONFIG. */
  readonly cpconfig?: string | undefined
  /** The user's home folder. */
  readonly home: string
}

export interface FoundSources {
  readonly sources: ConfigSources
  /** For the log: what was read and what of it means nothing here. */
  readonly notes: readonly string[]
}

/** @throws ConfigError with every line of the two files that cannot be read */
export function findSources(env: Environment, files: NamedFiles): FoundSources {
  const mistakes: ConfigMistake[] = []
  const folder = join(files.home, '.pacifica-notifications')
  const ini = readFile(
    { named: files.config ?? env['NOTIFICATIONS_CONFIG'], usual: join(folder, 'config.ini') },
    parseIni,
    mistakes,
  )
  const cherryPy = readFile(
    { named: files.cpconfig ?? env['NOTIFICATIONS_CPCONFIG'], usual: join(folder, 'cpconfig.ini') },
    parseCherryPy,
    mistakes,
  )
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  const inis = [ini, cherryPy?.ini].filter((file) => file !== undefined)
  return {
    sources: { env, ini: inis, prefixes: ['NOTIFICATIONS_'] },
    notes: notesOn(ini, cherryPy),
  }
}

function readFile<T>(
  file: { named: string | undefined; usual: string },
  parse: (text: string, file: string) => T,
  mistakes: ConfigMistake[],
): T | undefined {
  const path = file.named?.trim() || file.usual
  if (path === file.usual && !existsSync(path)) return undefined
  try {
    return parse(readFileSync(path, 'utf8'), path)
  } catch (error) {
    if (error instanceof ConfigError) mistakes.push(...error.mistakes)
    else mistakes.push({ name: path, message: `cannot be read: ${(error as Error).message}` })
    return undefined
  }
}

function notesOn(ini: IniFile | undefined, cherryPy: CherryPyFile | undefined): string[] {
  const notes = [ini, cherryPy?.ini].flatMap((file) => (file ? [`read ${file.file}`] : []))
  if (cherryPy !== undefined && cherryPy.ignored.length > 0)
    notes.push(`in ${cherryPy.ini.file}, passed over: ${cherryPy.ignored.join(', ')}`)
  return notes
}
