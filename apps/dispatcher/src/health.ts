/** The dispatcher's readiness, check by check. */
import {
  type Database,
  type Health,
  type MigrationState,
  migrationsCheck,
  type Transport,
} from '@pacifica/platform'

/** What must work before this dispatcher is worth sending events to. */
export function addChecks(
  health: Health,
  parts: {
    database: Database
    migrations: () => Promise<MigrationState>
    worker: { trouble(): string | undefined }
    consumer: { readonly consuming: boolean }
    transport: Transport
  },
): void {
  const { database, migrations, worker, consumer, transport } = parts
  health.add('database', async () => {
    await database.check(3_000)
    return undefined
  })
  health.add('migrations', migrationsCheck(migrations))
  health.add('worker', () => worker.trouble())
  health.add('consumer', () => {
    if (consumer.consuming) return undefined
    return transport.trouble() ?? 'receives nothing from the queue'
  })
}
