/** `dbsync`: brings the tables up to date; `dbsync --back`: gives them back to the Python service. */
import { join } from 'node:path'
import type { Database, Log } from '@pacifica/platform'
import { giveBack } from '../database/upgrade/give-back.ts'
import { type SyncReport, syncTables } from '../database/upgrade/sync.ts'
import {
  loadOrCreateKeyFile,
  openAuth,
  openSecretBox,
  type SecretBox,
  sealAuth,
} from '../subscriptions/secrets.ts'
import { type Command, type Given, textOf, UsageError } from './command.ts'
import { type CliConfig, onDatabase } from './open.ts'
import type { Output } from './run-event-command.ts'

export const dbsync: Command = {
  name: 'dbsync',
  help: `Makes the tables, or brings them up to date. The tables of the Python service (schema 0.0 to 3.0) are upgraded in
place; stop that service first, and make a backup.

  --timezone ZONE     of the times in Python's tables (default: this machine's zone)
  --dry-run           only says what would be done
  --back              gives the tables back to the Python service, as its schema 3.0
  --abandon-pending   with --back: also when something still waits to be delivered`,
  options: {
    timezone: { type: 'string' },
    'dry-run': { type: 'boolean' },
    back: { type: 'boolean' },
    'abandon-pending': { type: 'boolean' },
  },
}

interface Needs {
  readonly log: Log
  readonly output: Output
}

export async function runDbsync(needs: Needs, config: CliConfig, given: Given): Promise<number> {
  if (given.options['abandon-pending'] === true && given.options['back'] !== true)
    throw new UsageError('--abandon-pending goes with --back')
  const options = {
    timezone: textOf(given, 'timezone') ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    dryRun: given.options['dry-run'] === true,
    abandonPending: given.options['abandon-pending'] === true,
  }
  const box = lazyBox(config)
  const act = given.options['back'] === true ? back : sync
  return onDatabase(needs, config, {
    async here(database) {
      for (const line of await act(database, box, options)) await needs.output.write(`${line}\n`)
      return 0
    },
    async held() {
      await needs.output.write(
        'A service runs on this data folder, and keeps its tables up to date itself.\n',
      )
      return 0
    },
  })
}

interface Options {
  readonly timezone: string
  readonly dryRun: boolean
  readonly abandonPending: boolean
}

/** Made only when there is a secret, because reading may make the key. */
interface LazyBox {
  readonly path: string
  open(): SecretBox
}

function lazyBox(config: CliConfig): LazyBox {
  const path = config.secretKeyFile ?? join(config.dataDir, 'notifications', 'secret.key')
  let box: SecretBox | undefined
  return {
    path,
    open() {
      box ??= openSecretBox(loadOrCreateKeyFile(path))
      return box
    },
  }
}

async function sync(database: Database, box: LazyBox, options: Options): Promise<string[]> {
  const report = await syncTables(
    database,
    { seal: (auth, uuid) => JSON.stringify(sealAuth(box.open(), auth, uuid)) },
    options,
  )
  return describeSync(report, { dryRun: options.dryRun, keyFile: box.path })
}

async function back(database: Database, box: LazyBox, options: Options): Promise<string[]> {
  const report = await giveBack(
    database,
    { open: ({ uuid, auth }) => openAuth(box.open(), JSON.parse(auth), uuid) },
    options,
  )
  const { timezone, pendingEvents, pendingDeliveries, disabled } = report
  return [
    `Tables ${options.dryRun ? 'would be' : 'were'} given back as schema 3.0 of the Python service; times in ${timezone}.`,
    `Pending: ${pendingEvents} events, ${pendingDeliveries} deliveries${options.dryRun ? '' : ' (given up)'}.`,
    `Subscriptions that Python cannot serve: ${disabled}${disabled > 0 ? ', disabled' : ''}.`,
  ]
}

/** Exported for its test. */
export function describeSync(
  { migrations, upgrade }: SyncReport,
  { dryRun, keyFile }: { dryRun: boolean; keyFile: string },
): string[] {
  const lines: string[] = []
  if (upgrade !== undefined) {
    const { version, timezone, events, subscriptions, enabled, statements, sealed, notes } = upgrade
    lines.push(
      `Tables of the Python service, schema ${version}: ${events} events, ${subscriptions} subscriptions, ${enabled} of them enabled.`,
      `Times are read as ${timezone}. Old events are history: none is delivered again.`,
    )
    for (const statement of statements) lines.push(`To schema 3.0: ${statement}`)
    if (sealed > 0) lines.push(`Secrets sealed: ${sealed}. The service needs the key in ${keyFile}`)
    for (const { uuid, name, user, note } of notes)
      lines.push(`Subscription ${uuid} (${JSON.stringify(name)} of ${user}): ${note}`)
  }
  for (const name of migrations) lines.push(`Migration: ${name}`)
  if (lines.length === 0) return ['The tables are up to date.']
  return [...lines, dryRun ? 'Nothing was changed (--dry-run).' : 'The tables are up to date.']
}
