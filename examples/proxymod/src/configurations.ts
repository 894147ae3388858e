/**
 * The configurations of the three models, as key-values say them: `proxymod.config_1.PROJECT.runtime` = `2` is `runtime`
 * in the section `PROJECT` of the first one. Pure.
 */
import type { TransactionKeyValue } from '@pacifica/core'
import { ConfigurationError } from './errors.ts'

/** Section → name → value. */
export type Configuration = Readonly<Record<string, Readonly<Record<string, string>>>>

export const MODELS = ['config_1', 'config_2', 'config_3'] as const
export type Configurations = Readonly<Record<(typeof MODELS)[number], Configuration>>

/** What a section must say, all of it; and no other section may be there. */
const SECTIONS: Readonly<Record<string, readonly string[]>> = {
  PROJECT: ['runtime', 'failure'],
  INPUTS: ['in_dir', 'in_file_one', 'in_file_two'],
  OUTPUTS: ['out_dir'],
}

const KEY = /^proxymod\.(config_\d+)\.([^.]+)\.([^.]+)$/

/** Throws `ConfigurationError`, which lists all mistakes. */
export function configurationsOf(keyValues: readonly TransactionKeyValue[]): Configurations {
  const found = collect(keyValues)
  const mistakes = MODELS.flatMap((id) => wrongWith(id, found[id]))
  if (found['config_1'] && !found['config_1']['INPUTS']) mistakes.push('config_1 has no INPUTS')
  if (mistakes.length > 0) throw new ConfigurationError(mistakes)
  return found as Configurations
}

/** As Python's configparser reads it. */
export function iniText(configuration: Configuration): string {
  const lines = Object.entries(configuration).flatMap(([section, values]) => [
    `[${section}]`,
    ...Object.entries(values).map(([name, value]) => `${name} = ${value}`),
  ])
  return `${lines.join('\n')}\n`
}

function collect(keyValues: readonly TransactionKeyValue[]) {
  const found: Record<string, Record<string, Record<string, string>>> = {}
  for (const { key, value } of keyValues) {
    const [, id, section, name] = KEY.exec(key ?? '') ?? []
    if (id === undefined || section === undefined || name === undefined) continue
    found[id] ??= {}
    found[id][section] ??= {}
    // The first one counts when a key is there twice.
    found[id][section][name] ??= String(value ?? '')
  }
  return found
}

function wrongWith(id: string, configuration: Configuration | undefined): string[] {
  if (configuration === undefined) return [`${id} is missing`]
  return Object.entries(configuration).flatMap(([section, values]) => {
    const known = SECTIONS[section]
    if (known === undefined) return [`${id} has a section ${section}, which is not known`]
    const missing = known.filter((name) => values[name] === undefined)
    const unknown = Object.keys(values).filter((name) => !known.includes(name))
    // It would begin another line of the file.
    const broken = known.filter((name) => /[\r\n]/.test(values[name] ?? ''))
    return [
      ...missing.map((name) => `${id}.${section}.${name} is missing`),
      ...unknown.map((name) => `${id}.${section}.${name} is not known`),
      ...broken.map((name) => `${id}.${section}.${name} has a line break`),
    ]
  })
}
