/** Opens this service's database, brings its tables up to date, and says in /readyz how it is. */
import { join } from 'node:path'
import {
  type Database,
  type Health,
  type Lifetime,
  type Log,
  lookAtMigrations,
  type MigrationState,
  migrate,
  migrationsCheck,
  openDatabase,
} from '@pacifica/platform'
import type { NotificationsConfig } from '../config.ts'
import { type Availability, DatabaseWatch } from './availability.ts'
import { PrismaClient } from './generated/client.ts'
import { MIGRATIONS, whoseTables } from './migrations.ts'
import { prepareEventually } from './prepare-eventually.ts'
import { releaseOrphans } from './release-orphans.ts'
import { MigrationsPendingError, PythonTablesError } from './upgrade/errors.ts'

export interface Tables {
  readonly database: Database
  readonly prisma: PrismaClient
  readonly availability: Availability
}

/**
 * A process that takes events starts although its server is away: they go to the spool, and the tables are prepared
 * when the server is there. Any other process gives up after DATABASE_CONNECT_ATTEMPTS.
 */
export async function openTables(
  needs: { life: Lifetime; log: Log; health: Health },
  config: NotificationsConfig,
): Promise<Tables> {
  const { life, log, health } = needs
  const isPatient = config.databaseUrl !== undefined && takesEvents(config)
  const database = await openDatabase(
    { log },
    {
      url: config.databaseUrl,
      folder: join(config.dataDir, 'notifications', 'database'),
      poolSize: config.databasePool,
      prepare: config.databasePrepare,
      connectAttempts: isPatient ? 1 : config.databaseConnectAttempts,
      connectWaitMs: config.databaseConnectWaitMs,
      whenAway: isPatient ? 'open' : 'give up',
      signal: life.stopping,
    },
  )
  life.onClose('database', () => database.close())
  const look = lookAtMigrations({ sql: database, log }, MIGRATIONS)
  const prepare = () => prepareTables({ log, database, look }, config)
  const tables = isPatient ? prepareEventually(prepare, { life, log }) : undefined
  await (tables?.begun ?? prepare())
  const availability = watch(needs, database, tables?.prepared ?? (() => true))
  health.add('database', () => database.check(3_000).then(() => undefined))
  health.add('migrations', migrationsCheck(look))
  const prisma = new PrismaClient({ adapter: database.adapter, transactionOptions: TRANSACTION })
  life.onClose('prisma', () => prisma.$disconnect())
  return { database, prisma, availability }
}

function takesEvents({ roles, brokerUrl }: NotificationsConfig): boolean {
  return roles.includes('api') || (roles.includes('intake') && brokerUrl !== undefined)
}

/** An embedded database has one session: a change waits for it as long as other requests may take, not 2 s (P2028). */
const TRANSACTION = { maxWait: 30_000, timeout: 30_000 }

const CHECK_MS = 2_000

function watch(
  { life, log }: { life: Lifetime; log: Log },
  database: Database,
  prepared: () => boolean,
): Availability {
  const check = async () => {
    await database.check(CHECK_MS)
    if (!prepared()) throw new Error('its tables are not prepared yet')
  }
  const availability = new DatabaseWatch({ check, log })
  if (!prepared()) availability.lost(new Error('not reached at the start'))
  const watching = availability.run(life.stopping)
  life.onClose('database watch', () => watching)
  return availability
}

/**
 * An embedded database and a fresh one are migrated here. So is one of an earlier version, unless MIGRATE_AT_START says
 * that somebody else does it. The Python service's tables are left to `dbsync`, which needs to be told a time zone.
 */
async function prepareTables(
  needs: { log: Log; database: Database; look: () => Promise<MigrationState> },
  { migrateAtStart }: Pick<NotificationsConfig, 'migrateAtStart'>,
): Promise<void> {
  const { log, database, look } = needs
  if ((await whoseTables(database)) === 'python') throw new PythonTablesError()
  const { pending } = await look()
  if (!migrateAtStart && database.engine === 'postgresql' && pending.length > 0)
    throw new MigrationsPendingError(pending)
  for (const migration of await migrate(database, MIGRATIONS))
    log.info({ migration }, 'database.migrated')
  if (database.engine === 'embedded') await releaseOrphans(database)
}
