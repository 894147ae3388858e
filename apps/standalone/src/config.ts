/** The settings of the pair: both services' own, with defaults that make one machine work by itself. */

import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type DispatcherConfig, dispatcherSettings, refuseExposed } from '@pacifica/dispatcher'
import {
  type NotificationsConfig,
  notificationsSettings,
  readNotificationsConfig,
} from '@pacifica/notifications'
import {
  ConfigError,
  type ConfigMistake,
  type ConfigSources,
  findSetting,
  isLoopback,
  readConfig,
  type Settings,
} from '@pacifica/platform'

export interface StandaloneConfig {
  readonly notifications: NotificationsConfig
  readonly dispatcher: DispatcherConfig
}

export type Environment = Readonly<Record<string, string | undefined>>

/** Where files are taken from and bundles written to, unless CARTD_URL and INGEST_URL say otherwise. */
export function localFolders(dataDir: string): { files: string; bundles: string } {
  return { files: join(resolve(dataDir), 'files'), bundles: join(resolve(dataDir), 'bundles') }
}

/** Reads both services' settings, those of notifications from its INI file too; all mistakes are told together. */
export function readStandaloneConfig(
  given: Environment,
  ini: ConfigSources['ini'] = [],
): StandaloneConfig {
  const folders = localFolders(given['DATA_DIR'] || './.pacifica')
  const env = {
    ...defaultsForOneMachine({ env: given, ini }),
    CARTD_URL: pathToFileURL(folders.files).href,
    INGEST_URL: pathToFileURL(folders.bundles).href,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value)),
  }
  const mistakes: ConfigMistake[] = []
  const read = <T>(config: () => T): T | undefined => {
    try {
      return config()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      mistakes.push(...error.mistakes)
      return undefined
    }
  }
  const prefixes = ['NOTIFICATIONS_', 'DISPATCHER_']
  const notifications = read(() =>
    readNotificationsConfig({ env, ini, prefixes, alsoKnown: variablesOf(dispatcherSettings) }),
  )
  const dispatcher = read(() => {
    const config = readConfig(dispatcherSettings, { env })
    refuseExposed(config)
    return config
  })
  if (notifications === undefined || dispatcher === undefined)
    throw new ConfigError(unique(mistakes))
  return { notifications, dispatcher }
}

/** For what neither the environment nor the INI file says. */
function defaultsForOneMachine(sources: ConfigSources): Environment {
  const { defaultUser, targetAllow, policyUrl, host } = notificationsSettings
  const unset = (setting: Settings[string]) => findSetting(setting, sources) === undefined
  const alone = isLoopback(findSetting(host, sources)?.text ?? '127.0.0.1')
  return {
    ...(unset(defaultUser) && { DEFAULT_USER: 'default_user' }),
    ...(unset(targetAllow) && { TARGET_ALLOW: '127.0.0.0/8,::1/128' }),
    ...(unset(policyUrl) && alone && { POLICY_URL: 'allow-all' }),
  }
}

function variablesOf(settings: Settings): string[] {
  return Object.values(settings).flatMap(({ variable, aliases }) => [variable, ...aliases])
}

/** Both services read some of the same variables. */
function unique(mistakes: readonly ConfigMistake[]): ConfigMistake[] {
  const lines = new Map(mistakes.map((mistake) => [`${mistake.name} ${mistake.message}`, mistake]))
  return [...lines.values()]
}
