/** The older third of everything is purged, as RETENTION does it, while events come in and are worked off. */
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Database, Sql } from '@pacifica/platform'
import { purgeJoins } from '../../apps/dispatcher/src/joins/purge.ts'
import { purgeTasks } from '../../apps/dispatcher/src/tasks/purge.ts'
import { acceptTask, claimTasks, recordResult } from '../../apps/dispatcher/src/tasks/store.ts'
import { settle } from '../../apps/dispatcher/src/tasks/task.ts'
import { eventStore } from '../../apps/notifications/src/accept/event-store.ts'
import { matchStore } from '../../apps/notifications/src/match/match-store.ts'
import { purgeEvents } from '../../apps/notifications/src/purge/purge.ts'
import { type Latencies, latenciesOf, timed, type Worker } from './beside.ts'
import { claimAndDeliver, newEvents } from './cases-working.ts'
import { DAYS } from './numbers.ts'
import type { Service } from './site.ts'
import { type TableSize, tableSizes } from './sizes.ts'

export interface Purge {
  readonly service: Service['name']
  /** Events or tasks. */
  readonly rows: number
  readonly seconds: number
  /** Each is one transaction. */
  readonly batches: Latencies
  readonly idle: ReadonlyMap<string, Latencies>
  readonly during: ReadonlyMap<string, Latencies>
  readonly vacuumS: number
  readonly tables: readonly Shrunk[]
}

/** Bytes of a table's rows; `free`: of them to be used again after VACUUM, which gives little back to the disk. */
export interface Shrunk {
  readonly name: string
  readonly before: number
  readonly after: number
  readonly free: number | undefined
}

const OLDER_MS = (DAYS * 2 * 86_400_000) / 3

export async function measurePurge(service: Service, idleMs: number): Promise<Purge> {
  const { database, name } = service
  const workers = name === 'notifications' ? notificationsWork(database) : dispatcherWork(database)
  const before = await tableSizes(database)
  const idle = await timed(workers, sleep(idleMs))
  const batches: number[] = []
  const began = performance.now()
  const purging = (name === 'notifications' ? purgeOldEvents : purgeOldTasks)(database, batches)
  const during = await timed(workers, purging)
  const seconds = (performance.now() - began) / 1000
  const vacuumBegan = performance.now()
  await database.query('VACUUM ANALYZE')
  const vacuumS = (performance.now() - vacuumBegan) / 1000
  const tables = await shrunk(database, before)

  return {
    service: name,
    rows: await purging,
    seconds,
    batches: latenciesOf(batches),
    idle,
    during,
    vacuumS,
    tables,
  }
}

async function purgeOldEvents(database: Database, batches: number[]): Promise<number> {
  const which = { before: new Date(Date.now() - OLDER_MS) }
  const watched: Database = {
    ...database,
    transaction: (work) => taking(batches, () => database.transaction(work)),
  }
  return (await purgeEvents(watched, { which, pendingToo: 'held' })).purged
}

async function purgeOldTasks(database: Database, batches: number[]): Promise<number> {
  const watched: Database = {
    ...database,
    query: (text, values) => taking(batches, () => database.query(text, values)),
  }
  const old = { olderMs: OLDER_MS, signal: new AbortController().signal }
  const tasks = await purgeTasks(watched, old)
  await purgeJoins(watched, old)
  return tasks + (await purgeTasks(watched, old))
}

async function taking<T>(times: number[], work: () => Promise<T>): Promise<T> {
  const began = performance.now()
  try {
    return await work()
  } finally {
    times.push(performance.now() - began)
  }
}

function notificationsWork(database: Database): Worker[] {
  const events = eventStore({ sql: database })
  const matches = matchStore({ sql: database })
  return [
    { name: 'accept 10 events', work: () => events.insert(newEvents(10)) },
    {
      name: 'claim and record 10 matches',
      async work() {
        const claimed = await matches.claimTogether(10)
        await matches.record(
          claimed.map((event) => ({ event, matches: [], recovered: [], unreadable: null })),
        )
      },
    },
    { name: 'claim and record deliveries', work: () => claimAndDeliver(database) },
  ]
}

function dispatcherWork(database: Database): Worker[] {
  const arrival = () => ({
    ...{ id: randomUUID(), delivery: { id: randomUUID(), replay: 0 }, digest: randomUUID() },
    ...{
      source: '/bench',
      eventId: 'new',
      event: JSON.stringify({ data: 'x'.repeat(1_400) }),
      trace: undefined,
    },
  })
  return [
    { name: 'accept a task', work: () => acceptTask(database, arrival()) },
    {
      name: 'claim and end a task',
      async work() {
        const options = { limit: 1, leaseMs: 60_000, maxStarts: 5, worker: 'bench', except: [] }
        for (const task of await claimTasks(database, options))
          await recordResult(database, task, settle({ kind: 'done' }))
      },
    },
  ]
}

async function shrunk(database: Sql, before: readonly TableSize[]): Promise<Shrunk[]> {
  const after = new Map((await tableSizes(database)).map((table) => [table.name, table]))
  const free = await freeSpace(database)
  return before.map(({ name, table }) => ({
    name,
    before: table,
    after: after.get(name)?.table ?? 0,
    free: free.find((row) => row.name === name)?.free,
  }))
}

/** Told by a module of PostgreSQL's that is not installed everywhere. */
async function freeSpace(sql: Sql): Promise<{ name: string; free: number }[]> {
  const name = 'pg_freespacemap'
  const [found] = await sql.query('SELECT 1 FROM pg_available_extensions WHERE name = $1', [name])
  if (found === undefined) return []
  await sql.query(`CREATE EXTENSION IF NOT EXISTS ${name}`)
  return sql.query<{ name: string; free: number }>(FREE)
}

const FREE = `
  SELECT relname AS name, (SELECT coalesce(sum(f.avail), 0)::bigint FROM pg_freespace(c.oid::regclass) f) AS free
  FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'`
