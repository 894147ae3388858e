/** Opens this service's database, brings its tables up to date, and says in /readyz how it is. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Database,
  type Health,
  type Lifetime,
  type Log,
  migrate,
  openDatabase,
  pendingMigrations,
} from '@pacifica/platform'
import type { NotificationsConfig } from '../config.ts'
import { PrismaClient } from './generated/client.ts'
import { releaseOrphans } from './release-orphans.ts'

/** Found from src/ and dist/ alike. */
const MIGRATIONS = fileURLToPath(
  new URL('../../../../prisma/notifications/migrations', import.meta.url),
)

export interface Tables {
  readonly database: Database
  readonly prisma: PrismaClient
}

export async function openTables(
  needs: { life: Lifetime; log: Log; health: Health },
  config: NotificationsConfig,
): Promise<Tables> {
  const { life, log, health } = needs
  const database = await openDatabase(
    { log },
    {
      url: config.databaseUrl,
      folder: join(config.dataDir, 'notifications', 'database'),
      poolSize: config.databasePool,
      connectAttempts: config.databaseConnectAttempts,
      connectWaitMs: config.databaseConnectWaitMs,
      signal: life.stopping,
    },
  )
  life.onClose('database', () => database.close())
  for (const migration of await migrate(database, MIGRATIONS))
    log.info({ migration }, 'database.migrated')
  if (database.engine === 'embedded') await releaseOrphans(database)
  health.add('database', () => database.check(3_000).then(() => undefined))
  health.add('migrations', async () => {
    const { pending } = await pendingMigrations(database, MIGRATIONS)
    return pending.length === 0 ? undefined : `not applied: ${pending.join(', ')}`
  })
  const prisma = new PrismaClient({ adapter: database.adapter })
  life.onClose('prisma', () => prisma.$disconnect())
  return { database, prisma }
}
