/** A database with a service's tables, on either engine, for one test file. */
import { mkdtemp, rm } from 'node:fs/promises'
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
): Promise<MigratedDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-test-'))
  const server = engine === 'postgresql' ? await createTestDatabase() : undefined
  const open = () =>
    openDatabase({ log: silentLog }, { url: server?.url, folder: join(folder, 'database') })
  const database = await open()
  const others: Database[] = []
  await migrate(database, join(import.meta.dirname, '../../prisma', service, 'migrations'))
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
