/** The dispatcher's readiness, check by check. */
import { type Database, type Health, pendingMigrations, type Transport } from '@pacifica/platform'

/** What must work before this dispatcher is worth sending events to. */
export function addChecks(
  health: Health,
  parts: {
    database: Database
    /** The folder of the migrations. */
    migrations: string
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
  health.add('migrations', async () => {
    // Unknown ones are a newer replica's: this one works on while it is being replaced.
    const { pending, changed } = await pendingMigrations(database, migrations)
    const wrong = Object.entries({ pending, changed }).filter(([, names]) => names.length > 0)
    if (wrong.length === 0) return undefined
    return wrong.map(([kind, names]) => `${kind}: ${names.join(', ')}`).join('; ')
  })
  health.add('worker', () => worker.trouble())
  health.add('consumer', () => {
    if (consumer.consuming) return undefined
    return transport.trouble() ?? 'receives nothing from the queue'
  })
}
