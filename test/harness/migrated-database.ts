/** A database with a service's tables, on either engine, for one test file. */
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Database, migrate, openDatabase } from '@pacifica/platform'
import { createTestDatabase } from './test-database.ts'

export const ENGINES = ['embedded', 'postgresql'] as const
export type Engine = (typeof ENGINES)[number]

export interface MigratedDatabase {
  readonly database: Database
  /** Another connection to the same database, as another process would have; the same one when embedded. */
  another(): Promise<Database>
  close(): Promise<void>
}

/** For parts that want a log. */
export const silentLog = createLog({ name: 'test', level: 'silent' })

export async function openMigrated(
  engine: Engine,
  service: 'notifications' | 'dispatcher',
  options: {
    /** Only what comes before this migration; default: all. */
    readonly before?: string
  } = {},
): Promise<MigratedDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-test-'))
  const server = engine === 'postgresql' ? await createTestDatabase() : undefined
  const open = () =>
    openDatabase({ log: silentLog }, { url: server?.url, folder: join(folder, 'database') })
  const database = await open()
  const others: Database[] = []
  const migrations = join(import.meta.dirname, '../../prisma', service, 'migrations')
  await migrate(database, await until(migrations, join(folder, 'migrations'), options.before))
  return {
    database,
    async another() {
      if (server === undefined) return database
      const other = await open()
      others.push(other)
      return other
    },
    async close() {
      for (const opened of [...others, database]) await opened.close()
      await server?.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The folder itself, or a copy of what comes before one of its migrations. */
async function until(
  migrations: string,
  copy: string,
  before: string | undefined,
): Promise<string> {
  if (before === undefined) return migrations
  for (const name of await readdir(migrations))
    if (name < before) await cp(join(migrations, name), join(copy, name), { recursive: true })
  return copy
}
