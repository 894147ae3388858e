/** What commands work on: the database that the settings name, or the service that holds it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ConfigSources,
  type Database,
  FolderInUseError,
  type Log,
  openDatabase,
  readConfig,
} from '@pacifica/platform'
import { notificationsSettings } from '../config.ts'

const { dataDir, databaseUrl, databaseConnectAttempts, databaseConnectWaitMs, secretKeyFile } =
  notificationsSettings
const { brokerUrl } = notificationsSettings
const cliSettings = {
  ...{ dataDir, databaseUrl, databaseConnectAttempts, databaseConnectWaitMs, secretKeyFile },
  brokerUrl,
}

export type CliConfig = ReturnType<typeof readCliConfig>

/** Of all settings, those that commands need. @throws ConfigError */
export function readCliConfig(sources: ConfigSources) {
  return readConfig(cliSettings, { ...sources, otherSettings: notificationsSettings })
}

export class NoDatabaseError extends Error {
  readonly code = 'CLI_NO_DATABASE'
}

export function embeddedFolder(data: string): string {
  return join(data, 'notifications', 'database')
}

/** Statements take as long as they take. */
export function openConfigured(needs: { log: Log }, config: CliConfig): Promise<Database> {
  return openDatabase(needs, {
    url: config.databaseUrl,
    folder: embeddedFolder(config.dataDir),
    poolSize: 2,
    connectAttempts: config.databaseConnectAttempts,
    connectWaitMs: config.databaseConnectWaitMs,
    statementMs: 0,
  })
}

/** @throws NoDatabaseError where opening would make an embedded database that nobody asked for */
export function refuseMissing(config: CliConfig): void {
  if (config.databaseUrl !== undefined || existsSync(embeddedFolder(config.dataDir))) return
  throw new NoDatabaseError(
    `There is no database in ${config.dataDir}: set DATA_DIR or DATABASE_URL as the service has them`,
  )
}

/** Does it on the database; where a service holds it, does the other thing. */
export async function onDatabase<T>(
  needs: { log: Log },
  config: CliConfig,
  does: { here: (database: Database) => Promise<T>; held: () => Promise<T> },
): Promise<T> {
  const database = await openConfigured(needs, config).catch((error: unknown) => {
    if (error instanceof FolderInUseError) return undefined
    throw error
  })
  if (database === undefined) return does.held()
  try {
    return await does.here(database)
  } finally {
    await database.close()
  }
}
