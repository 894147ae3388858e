/**
 * `dbsync`: brings a database to what this version needs, whatever it holds. The tables of the Python service are
 * upgraded in place, in one transaction: all of it, or nothing. A dry run reads in a read-only transaction and says
 * what a run would do.
 */
import {
  type Database,
  lockMigrations,
  migrateWithin,
  pendingMigrations,
  type Sql,
  sqlState,
} from '@pacifica/platform'
import type { Auth } from '../../subscriptions/secrets.ts'
import { MIGRATIONS, PYTHON_SCHEMA, PYTHON_TABLES, whoseTables } from '../migrations.ts'
import { readCatalog } from './catalog.ts'
import { UpgradeError } from './errors.ts'
import { type Plan, planPythonSchema } from './plan.ts'
import {
  type Counts,
  countRows,
  describeEvents,
  knownZone,
  limitWaiting,
  pythonVersion,
  readSubscriptions,
  recordVersion,
  useZone,
  writeSubscriptions,
} from './steps.ts'
import {
  type PythonSubscription,
  type UpgradedSubscription,
  upgradeSubscription,
} from './upgrade-subscription.ts'

export interface SyncOptions {
  /** Naive times are read in it. */
  readonly timezone: string
  readonly dryRun?: boolean
}

export interface SyncNeeds {
  /** Seals the secrets of a subscription: the column's text. Called only when there is a secret. */
  readonly seal: (auth: Auth, subscription: string) => string
}

export interface SubscriptionNote {
  readonly uuid: string
  readonly name: string
  readonly user: string
  readonly note: string
}

export interface PythonUpgrade extends Counts {
  readonly version: string
  readonly timezone: string
  /** What brings the tables to the Python schema 3.0. */
  readonly statements: readonly string[]
  readonly sealed: number
  readonly notes: readonly SubscriptionNote[]
}

export interface SyncReport {
  readonly migrations: readonly string[]
  readonly upgrade?: PythonUpgrade
}

/** @throws UpgradeError, MigrationError: nothing was changed */
export async function syncTables(
  database: Database,
  needs: SyncNeeds,
  options: SyncOptions,
): Promise<SyncReport> {
  try {
    return await database.transaction(async (sql) => {
      if (options.dryRun) await sql.query('SET TRANSACTION READ ONLY')
      else await lockMigrations(sql)
      const python = (await whoseTables(sql)) === 'python'
      if (options.dryRun) return lookAhead(sql, python, options)
      if (!python) return { migrations: await migrateWithin(sql, MIGRATIONS) }
      return upgradePython(sql, needs, options)
    })
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error
    throw new UpgradeError(
      'Somebody else holds the tables: stop the Python service and whatever else uses this database, then try again',
      { cause: error },
    )
  }
}

async function lookAhead(sql: Sql, python: boolean, options: SyncOptions): Promise<SyncReport> {
  const { pending } = await pendingMigrations(sql, MIGRATIONS)
  if (!python) return { migrations: pending }
  const { upgrade } = await prepare(sql, options)
  return { migrations: pending.filter((name) => name !== PYTHON_SCHEMA), upgrade }
}

async function upgradePython(
  sql: Sql,
  needs: SyncNeeds,
  options: SyncOptions,
): Promise<SyncReport> {
  await limitWaiting(sql)
  const { upgrade, rows } = await prepare(sql, options)
  for (const statement of upgrade.statements) await sql.query(statement)
  await recordVersion(sql)
  await useZone(sql, upgrade.timezone)
  const migrations = await migrateWithin(sql, MIGRATIONS, { present: [PYTHON_SCHEMA] })
  await describeEvents(sql)
  const sealed = rows.map((row) => ({
    ...row,
    auth: hasSecret(row.auth) ? needs.seal(row.auth, row.uuid) : JSON.stringify(row.auth),
  }))
  await writeSubscriptions(sql, sealed)
  return { migrations, upgrade }
}

/** Reads only. */
async function prepare(
  sql: Sql,
  options: SyncOptions,
): Promise<{ upgrade: PythonUpgrade; rows: UpgradedSubscription[] }> {
  const version = await pythonVersion(sql)
  if (Number(version.split('.')[0]) > 3)
    throw new UpgradeError(
      `The tables say that they are of version ${version}; what can be upgraded is 0.0 to 3.0`,
    )
  const timezone = await knownZone(sql, options.timezone)
  const { statements } = await planOrRefuse(sql)
  const given = await readSubscriptions(sql)
  const rows = given.map(upgradeSubscription)
  const upgrade: PythonUpgrade = {
    ...(await countRows(sql)),
    version,
    timezone,
    statements,
    sealed: rows.filter((row) => hasSecret(row.auth)).length,
    notes: rows.flatMap((row, index) => notesOn(given[index], row)),
  }
  return { upgrade, rows }
}

async function planOrRefuse(sql: Sql): Promise<Plan> {
  const plan = planPythonSchema(await readCatalog(sql, PYTHON_TABLES))
  if (plan.problems.length === 0) return plan
  throw new UpgradeError(`These tables cannot be upgraded: ${plan.problems.join('; ')}`)
}

function hasSecret(auth: Auth): boolean {
  return auth.basic?.password !== undefined || auth.header?.credentials !== undefined
}

function notesOn(
  given: PythonSubscription | undefined,
  { uuid, notes }: UpgradedSubscription,
): SubscriptionNote[] {
  const { name = '', user = '' } = given ?? {}
  return notes.map((note) => ({ uuid, name, user, note }))
}
