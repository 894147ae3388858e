/**
 * One run of the pipeline's benchmarks: a database of its own, subscriptions, our service or the floor as a process, and
 * events that are posted to it; until the last delivery has come to its target.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createLog, type Database, migrate, openDatabase } from '@pacifica/platform'
import { freePort, type Postgres, spawnTypeScript, startService } from '../../test/harness/index.ts'
import { type ProcessorTime, processorTime } from '../processor-time.ts'
import { subscribe } from './load.ts'
import { offer } from './offer.ts'
import type { Site } from './site.ts'

const ROOT = join(import.meta.dirname, '../..')
const log = createLog({ name: 'bench', level: 'warn' })
/** As docker-compose.yml starts who matches and delivers; the floor is started so too. */
export const NODE_ARGS = ['--min-semi-space-size=32', '--max-semi-space-size=32']
/** As many questions to Policy and deliveries together as ours may have in hand. */
const FLOOR_AT_ONCE = 160

export interface Load {
  readonly subscriptions: number
  readonly expressionOf: (place: number) => string
  /** Delivered before anything is measured: what starting costs counts for nobody. */
  readonly warming: readonly string[]
  readonly events: readonly string[]
  /** Of each event. */
  readonly matching: number
  /** Each sends one event after the other. Default: 32. */
  readonly senders?: number
  /** On the subscriptions' database, before anything is started. */
  readonly prepare?: (database: Database) => Promise<void>
}

export interface Ran {
  /** From the first POST /receive to the last delivery. */
  readonly seconds: number
  /** For each delivery. */
  readonly used: ProcessorTime
}

export interface RunNeeds {
  readonly postgres: Postgres
  readonly site: Site
}

/** What takes events and delivers them: started on the database, with a folder of its own. */
export type Start = (
  url: string,
  folder: string,
  site: Site,
) => Promise<{ readonly url: string; readonly pid: number; stop(): Promise<unknown> }>

export const ours: Start = async (url, folder, site) => {
  const port = await freePort()
  const env = {
    ...{ DATABASE_URL: url, DATA_DIR: folder, LOG_LEVEL: 'warn', POLICY_URL: site.policy },
    ...{ NOTIFICATIONS_PORT: String(port), TARGET_ALLOW: '127.0.0.0/8' },
  }
  const service = startService('apps/notifications/dist/main.js', env, [], { nodeArgs: NODE_ARGS })
  const api = `http://127.0.0.1:${port}`
  await service.ready([api])
  return { url: api, pid: service.pid, stop: () => service.kill('SIGKILL') }
}

export const floor: Start = async (url, _folder, site) => {
  const file = new URL('../floors/pipeline.ts', import.meta.url)
  const words = [url, String(site.port), String(FLOOR_AT_ONCE)]
  const child = spawnTypeScript(file, words, NODE_ARGS)
  const ended = once(child, 'exit')
  const [line] = await once(createInterface({ input: child.stdout ?? process.stdin }), 'line')
  const stop = () => {
    child.kill('SIGKILL')
    return ended
  }
  return { url: line as string, pid: child.pid ?? 0, stop }
}

export async function run(needs: RunNeeds, start: Start, load: Load): Promise<Ran> {
  const { postgres, site } = needs
  const { url, name, drop } = await postgres.createDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const database = await openDatabase({ log }, { url, folder: join(folder, 'none') })
  try {
    await migrate(database, join(ROOT, 'prisma/notifications/migrations'))
    await subscribe(database, load.subscriptions, site.port, load.expressionOf)
    await load.prepare?.(database)
    await database.query('VACUUM ANALYZE')
    const service = await start(url, folder, site)
    try {
      await site.begin(load.warming.length * load.matching)
      await offer(service.url, load.warming, load.senders)
      await site.end()
      const deliveries = load.events.length * load.matching
      await site.begin(deliveries)
      const before = processorTime(service.pid, name)
      const began = await offer(service.url, load.events, load.senders)
      const { last } = await site.end()
      const after = processorTime(service.pid, name)
      const used = {
        serviceMs: (after.serviceMs - before.serviceMs) / deliveries,
        databaseMs: (after.databaseMs - before.databaseMs) / deliveries,
      }
      return { seconds: (last - began) / 1000, used }
    } finally {
      await service.stop()
    }
  } finally {
    await database.close()
    await drop()
    await rm(folder, { recursive: true, force: true })
  }
}
