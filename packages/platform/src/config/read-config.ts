/** Reads the whole configuration once, at the start: environment, then INI file, then defaults. */
import { readFileSync } from 'node:fs'
import { ConfigError, type ConfigMistake } from './config-error.ts'
import { didYouMean } from './did-you-mean.ts'
import type { Setting } from './setting.ts'

export type Settings = Record<string, Setting<unknown>>

export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** An INI file as its reader gives it: section → key → value. */
export interface IniFile {
  readonly file: string
  readonly sections: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface ConfigSources {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly ini?: IniFile
  /** A variable that begins with one of these and is no setting is a mistake: `['NOTIFICATIONS_']`. */
  readonly prefixes?: readonly string[]
  /** Variables with such a prefix that somebody else reads. */
  readonly alsoKnown?: readonly string[]
}

/**
 * What the settings say, by the keys of `settings`. A variable set to the empty text is not set.
 * @throws {ConfigError} with every mistake there is.
 */
export function readConfig<const S extends Settings>(
  settings: S,
  sources: ConfigSources,
): Config<S> {
  const mistakes: ConfigMistake[] = []
  const config: Record<string, unknown> = {}
  for (const [key, setting] of Object.entries(settings)) {
    config[key] = readSetting(setting, sources, mistakes)
  }
  mistakes.push(...unknownVariables(settings, sources), ...unknownIniKeys(settings, sources.ini))
  if (mistakes.length > 0) throw new ConfigError(mistakes)
  return config as Config<S>
}

interface Written {
  /** Where it stands: the variable, or the place in the INI file. */
  readonly name: string
  readonly text: string
}

function readSetting(
  setting: Setting<unknown>,
  sources: ConfigSources,
  mistakes: ConfigMistake[],
): unknown {
  const written = writtenFor(setting, sources, mistakes)
  if (written === undefined) {
    if (setting.required && mistakes.every(({ name }) => name !== setting.variable)) {
      mistakes.push({ name: setting.variable, message: `not set: expected ${setting.expects}` })
    }
    return undefined
  }
  const parsed = setting.parse(written.text)
  if ('value' in parsed) return parsed.value
  const { advice = complaint(setting, written.text, parsed.wrong) } = parsed
  mistakes.push({ name: written.name, message: advice })
  return undefined
}

function writtenFor(
  setting: Setting<unknown>,
  { env, ini }: ConfigSources,
  mistakes: ConfigMistake[],
): Written | undefined {
  const found = [
    ...[setting.variable, ...setting.aliases].flatMap((name) => fromEnv(setting, name, env)),
    ...fromIni(setting, ini),
  ]
  const [first, second] = found.filter(({ name }) => !name.startsWith('['))
  if (first !== undefined && second !== undefined) {
    const message = `${second.name} is set too: keep one of them`
    mistakes.push({ name: first.name, message })
  }
  const [winner] = found
  if (winner !== undefined) return winner.file ? readSecret(winner, mistakes) : winner
  return setting.default === undefined
    ? undefined
    : { name: setting.variable, text: setting.default }
}

type Source = Written & { readonly file: boolean }

function fromEnv(setting: Setting<unknown>, name: string, env: ConfigSources['env']): Source[] {
  const sources: Source[] = []
  const value = env[name]?.trim()
  if (value) sources.push({ name, text: value, file: setting.inFile })
  const file = setting.secret ? env[`${name}_FILE`]?.trim() : undefined
  if (file) sources.push({ name: `${name}_FILE`, text: file, file: true })
  return sources
}

function fromIni(setting: Setting<unknown>, ini: IniFile | undefined): Source[] {
  if (setting.ini === undefined || ini === undefined) return []
  const dot = setting.ini.indexOf('.')
  const [section, key] = [setting.ini.slice(0, dot), setting.ini.slice(dot + 1)]
  const value = ini.sections[section]?.[key]?.trim()
  return value ? [{ name: iniPlace(ini, section, key), text: value, file: setting.inFile }] : []
}

function readSecret(source: Source, mistakes: ConfigMistake[]): Written | undefined {
  try {
    const text = readFileSync(source.text, 'utf8').replace(/\r?\n$/, '')
    if (text !== '') return { name: source.name, text }
    mistakes.push({ name: source.name, message: `the file ${source.text} is empty` })
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'cannot be read'
    mistakes.push({ name: source.name, message: `the file cannot be read: ${reason}` })
  }
  return undefined
}

const MOST_SHOWN = 100

function complaint(setting: Setting<unknown>, text: string, wrong: string | undefined): string {
  const secret = setting.secret || setting.inFile
  const reason = wrong === undefined || secret ? '' : ` (${wrong})`
  return `${secret ? 'its value' : show(text)} is not right${reason}: expected ${setting.expects}`
}

/** In quotes, cut, and without what stands before an `@`, which may be a password. */
function show(text: string): string {
  const bare = text.replace(/^([a-z0-9+.-]*:\/\/)?.*@/is, '$1***@')
  return JSON.stringify(bare.length > MOST_SHOWN ? `${bare.slice(0, MOST_SHOWN)}…` : bare)
}

/** What Docker links and Kubernetes Services put into the environment by themselves. */
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP)(_\w+)?)$/

function unknownVariables(settings: Settings, sources: ConfigSources): ConfigMistake[] {
  const { env, prefixes = [], alsoKnown = [] } = sources
  const known = [...Object.values(settings).flatMap(namesOf), ...alsoKnown]
  return Object.keys(env)
    .filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
    .filter((name) => !known.includes(name) && !SERVICE_LINK.test(name))
    .map((name) => ({ name, message: unknown(name, known) }))
}

function namesOf(setting: Setting<unknown>): string[] {
  const names = [setting.variable, ...setting.aliases]
  return setting.secret ? [...names, ...names.map((name) => `${name}_FILE`)] : names
}

function unknownIniKeys(settings: Settings, ini: IniFile | undefined): ConfigMistake[] {
  if (ini === undefined) return []
  const known = Object.values(settings).flatMap((setting) => setting.ini ?? [])
  return Object.entries(ini.sections).flatMap(([section, keys]) =>
    Object.keys(keys)
      .filter((key) => !known.includes(`${section}.${key}`))
      .map((key) => ({
        name: iniPlace(ini, section, key),
        message: unknown(`${section}.${key}`, known),
      })),
  )
}

function unknown(name: string, known: readonly string[]): string {
  const guess = didYouMean(name, known)
  return guess === undefined ? 'there is no such setting' : `unknown: did you mean ${guess}?`
}

function iniPlace(ini: IniFile, section: string, key: string): string {
  return `[${section}] ${key} in ${ini.file}`
}
