/** Ours and the floor, each a process with a database of its own on one private PostgreSQL that syncs. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLog, type Database, migrate, openDatabase } from '@pacifica/platform'
import { freePort, type Postgres, startPostgres, startService } from '../../test/harness/index.ts'
import { processorTime } from '../processor-time.ts'
import { anEventText } from './event.ts'
import { type Posted, postEvents } from './wrk.ts'

const ROOT = join(import.meta.dirname, '../..')
const log = createLog({ name: 'bench', level: 'warn' })

export interface Accepting {
  /** Posts for a while, and waits until nothing is left to be done for these events. */
  round(load: { connections: number; seconds: number }): Promise<Round>
  close(): Promise<void>
}

export interface Round extends Posted {
  readonly perSecond: number
  /** Of a processor, for each event, while events came in. */
  readonly processMs: number
  readonly databaseMs: number
}

export interface Site {
  /** The built service. `subscriptions`: so many, none of which matches. */
  ours(roles: string, options: { subscriptions: number }): Promise<Accepting>
  floor(): Promise<Accepting>
  close(): Promise<void>
}

const SUBSCRIBE = `
  INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url, revision)
  SELECT gen_random_uuid(), 'n' || n, '$[?(@.eventType = "t' || n || '")]', 'user ' || n % 100,
    'http://127.0.0.1:9/', 1 FROM generate_series(1, $1::int) n`

export async function openAcceptSite(): Promise<Site> {
  const postgres = await startPostgres({ durable: true, own: true })
  const folder = await mkdtemp(join(tmpdir(), 'bench-'))
  const eventFile = join(folder, 'event.json')
  await writeFile(eventFile, anEventText())
  const opened: Accepting[] = []
  const site = { postgres, folder, eventFile }
  async function keep(accepting: Promise<Accepting>) {
    opened.push(await accepting)
    return accepting
  }
  return {
    ours: (roles, { subscriptions }) => keep(openOurs(site, roles, subscriptions)),
    floor: () => keep(openFloor(site)),
    async close() {
      for (const each of opened) await each.close()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Place {
  readonly postgres: Postgres
  readonly folder: string
  readonly eventFile: string
}

async function openOurs(place: Place, roles: string, subscriptions: number): Promise<Accepting> {
  const { database, url, name } = await tablesOn(place)
  await database.query(SUBSCRIBE, [subscriptions])
  await database.query('VACUUM ANALYZE')
  const port = await freePort()
  const dataDir = await mkdtemp(join(place.folder, 'ours-'))
  const process = startService(
    'apps/notifications/dist/main.js',
    {
      ...{ DATABASE_URL: url, DATA_DIR: dataDir, POLICY_URL: 'allow-all', ROLES: roles },
      NOTIFICATIONS_PORT: String(port),
    },
    [],
    { outputTo: join(dataDir, 'log') },
  )
  const isDone = async () => !roles.includes('match') || (await countNew(database)) === 0
  return acceptingOf({ ...place, process, database, name, port, isDone })
}

async function openFloor(place: Place): Promise<Accepting> {
  const { database, url, name } = await tablesOn(place)
  const port = await freePort()
  const runner = 'test/harness/run-typescript.mjs'
  const words = [join(ROOT, 'bench/floors/accept.ts'), url, String(port)]
  const process = startService(runner, { NODE_ENV: 'production' }, words)
  return acceptingOf({ ...place, process, database, name, port, isDone: async () => true })
}

async function tablesOn({ postgres, folder }: Place) {
  const { url, name } = await postgres.createDatabase()
  const database = await openDatabase({ log }, { url, folder: join(folder, 'none'), poolSize: 1 })
  await migrate(database, join(ROOT, 'prisma/notifications/migrations'))
  return { database, url, name }
}

async function countNew(database: Database): Promise<number> {
  const rows = await database.query<{ left: number }>(
    `SELECT count(*) AS left FROM event_state WHERE state = 'new'`,
  )
  return rows[0]?.left ?? 0
}

interface Parts extends Place {
  readonly process: ReturnType<typeof startService>
  readonly database: Database
  readonly name: string
  readonly port: number
  readonly isDone: () => Promise<boolean>
}

let runs = 0

async function acceptingOf(parts: Parts): Promise<Accepting> {
  const { process, database, name, port, isDone, eventFile } = parts
  const url = `http://127.0.0.1:${port}`
  await process.ready([url])
  return {
    async round(load) {
      runs += 1
      // Else a checkpoint of one would fall into the round of the other.
      await database.query('CHECKPOINT')
      const before = processorTime(process.pid, name)
      const posted = await postEvents(url, { ...load, eventFile, run: runs })
      const after = processorTime(process.pid, name)
      while (!(await isDone())) await new Promise((resolve) => setTimeout(resolve, 100))
      return {
        ...posted,
        perSecond: posted.requests / posted.seconds,
        processMs: (after.serviceMs - before.serviceMs) / posted.requests,
        databaseMs: (after.databaseMs - before.databaseMs) / posted.requests,
      }
    },
    async close() {
      await process.kill('SIGKILL')
      await database.close()
    },
  }
}
