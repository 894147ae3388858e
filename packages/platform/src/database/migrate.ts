/**
 * Applies the SQL in Prisma's folder form (`<folder>/<name>/migration.sql`) and records it as Prisma's own tool does,
 * which cannot run everywhere: each needs the other to agree.
 */
import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Database, Sql } from './database.ts'

export class MigrationError extends Error {
  readonly code = 'MIGRATION'
}

export interface MigrationState {
  /** In the folder, not in the database. */
  readonly pending: string[]
  /** Applied, and the file is no longer what was applied. */
  readonly changed: string[]
  /** Applied, and not in the folder: by a later version, most likely. */
  readonly unknown: string[]
}

interface Migration {
  readonly name: string
  readonly text: string
  readonly checksum: string
}

interface Applied {
  readonly name: string
  readonly checksum: string
  readonly finished: boolean
}

/** The number that Prisma locks. */
const LOCK = 'SELECT pg_advisory_xact_lock(72707369)'

/** As Prisma makes it. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS "_prisma_migrations" (
    "id" VARCHAR(36) PRIMARY KEY NOT NULL,
    "checksum" VARCHAR(64) NOT NULL,
    "finished_at" TIMESTAMPTZ,
    "migration_name" VARCHAR(255) NOT NULL,
    "logs" TEXT,
    "rolled_back_at" TIMESTAMPTZ,
    "started_at" TIMESTAMPTZ NOT NULL DEFAULT now(),
    "applied_steps_count" INTEGER NOT NULL DEFAULT 0
  )`

const RECORD = `
  INSERT INTO "_prisma_migrations" (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
  VALUES ($1, $2, $3, $4, clock_timestamp(), 1)`

/**
 * Brings the database up to date: each migration in its own transaction, by one process at a time.
 * @returns the names of those that this call applied, in order
 * @throws MigrationError when an applied one has been changed, or one fails
 */
export async function migrate(database: Database, folder: string): Promise<string[]> {
  const migrations = await readMigrations(folder)
  const applied: string[] = []
  for (const migration of migrations) {
    const mine = await database.transaction((sql) => applyUnlessApplied(sql, migration, migrations))
    if (mine) applied.push(migration.name)
  }
  return applied
}

/**
 * The same within a transaction of the caller's: all of them or none. `present` are those whose work is there already,
 * done by others: they are recorded without being run.
 */
export async function migrateWithin(
  sql: Sql,
  folder: string,
  options: { readonly present?: readonly string[] } = {},
): Promise<string[]> {
  const migrations = await readMigrations(folder)
  const applied: string[] = []
  for (const migration of migrations) {
    const present = options.present?.includes(migration.name) ?? false
    const toRun = present ? { ...migration, text: '' } : migration
    if ((await applyUnlessApplied(sql, toRun, migrations)) && !present) applied.push(migration.name)
  }
  return applied
}

/** Held to the end of the transaction: nobody else migrates meanwhile. */
export async function lockMigrations(sql: Sql): Promise<void> {
  await sql.query(LOCK)
}

/** What `migrate` would find to do, without doing it. */
export async function pendingMigrations(sql: Sql, folder: string): Promise<MigrationState> {
  return compare(await readMigrations(folder), await readApplied(sql))
}

async function applyUnlessApplied(
  sql: Sql,
  migration: Migration,
  all: readonly Migration[],
): Promise<boolean> {
  await lockMigrations(sql)
  const { pending, changed } = compare(all, await readApplied(sql))
  if (changed.length > 0) {
    throw new MigrationError(
      `Migration ${changed.join(', ')} was changed after it had been applied to this database: restore the file, and put the change into a new migration`,
    )
  }
  if (!pending.includes(migration.name)) return false
  await sql.query(TABLE)
  const [{ now } = { now: null }] = await sql.query<{ now: Date | null }>(
    'SELECT clock_timestamp() AS now',
  )
  try {
    if (migration.text !== '') await sql.query(migration.text)
  } catch (error) {
    throw new MigrationError(
      `Migration ${migration.name} failed and was rolled back: ${(error as Error).message}`,
      { cause: error },
    )
  }
  await sql.query(RECORD, [randomUUID(), migration.checksum, migration.name, now])
  return true
}

/** Throws for one that Prisma's tool began and did not finish: only a person can tell what it left behind. */
function compare(migrations: readonly Migration[], applied: readonly Applied[]): MigrationState {
  const unfinished = applied.find((it) => !it.finished)
  if (unfinished) {
    throw new MigrationError(
      `Migration ${unfinished.name} was begun by Prisma's tool and not finished: put the database right, then mark it with "prisma migrate resolve"`,
    )
  }
  const checksums = new Map(applied.map((it) => [it.name, it.checksum]))
  const names = new Set(migrations.map((it) => it.name))
  const state = (test: (it: Migration) => boolean) => migrations.filter(test).map((it) => it.name)
  return {
    pending: state((it) => !checksums.has(it.name)),
    changed: state((it) => (checksums.get(it.name) ?? it.checksum) !== it.checksum),
    unknown: [...checksums.keys()].filter((name) => !names.has(name)),
  }
}

/** Not by `to_regclass`: within a transaction that waited for the lock it may answer from before the wait. */
const IS_THERE = `
  SELECT EXISTS (
    SELECT FROM pg_class WHERE relname = '_prisma_migrations' AND pg_table_is_visible(oid)) AS there`

async function readApplied(sql: Sql): Promise<Applied[]> {
  const [{ there } = { there: false }] = await sql.query<{ there: boolean }>(IS_THERE)
  if (!there) return []
  return sql.query<Applied>(
    `SELECT migration_name AS name, checksum, finished_at IS NOT NULL AS finished
     FROM "_prisma_migrations" WHERE rolled_back_at IS NULL ORDER BY started_at`,
  )
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: Error) => {
    throw new MigrationError(`The migrations in ${folder} cannot be read`, { cause: error })
  })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return Promise.all(names.sort().map((name) => readMigration(folder, name)))
}

async function readMigration(folder: string, name: string): Promise<Migration> {
  const text = await readFile(join(folder, name, 'migration.sql'), 'utf8').catch((error: Error) => {
    throw new MigrationError(`${join(folder, name)} holds no migration.sql that can be read`, {
      cause: error,
    })
  })
  return { name, text, checksum: createHash('sha256').update(text).digest('hex') }
}
