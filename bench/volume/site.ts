/** Both services' databases, filled: what is measured. */
import { join } from 'node:path'
import { createLog, type Database, migrate, openDatabase, type Sql } from '@pacifica/platform'
import { followAll, LANE_COPIES } from '../../apps/notifications/src/deliver/lanes.ts'
import { type Filling, fillTables } from './fill.ts'
import { dispatcherRows } from './fill-dispatcher.ts'
import { notificationsRows } from './fill-notifications.ts'
import { addFunctions, dropFunctions, type Size } from './numbers.ts'

const ROOT = join(import.meta.dirname, '../..')
const log = createLog({ name: 'bench', level: 'warn' })

export interface Service {
  readonly name: 'notifications' | 'dispatcher'
  readonly url: string
  readonly database: Database
}

export interface FilledSite {
  readonly notifications: Service
  readonly dispatcher: Service
  /** Seconds. */
  readonly fillS: number
  close(): Promise<void>
}

export async function openFilled(
  postgres: { createDatabase(): Promise<{ readonly url: string }> },
  size: Size,
  print: (line: string) => void,
): Promise<FilledSite> {
  const began = performance.now()
  const open = async (name: Service['name'], fillings: readonly Filling[]): Promise<Service> => {
    const { url } = await postgres.createDatabase()
    const database = await reopen(url)
    await migrate(database, join(ROOT, 'prisma', name, 'migrations'))
    await addFunctions(database)
    await fillTables(database, fillings, (line) => print(`${name}: ${line}`))
    await dropFunctions(database)
    return { name, url, database }
  }
  const notifications = await open('notifications', notificationsRows(size))
  const dispatcher = await open('dispatcher', dispatcherRows(size))
  await notifications.database.query(LANES)
  print(`wakes ${await followAll(notifications.database)} lanes`)
  for (const { database } of [notifications, dispatcher])
    await database.query('VACUUM (FREEZE, ANALYZE)')
  return siteOf(notifications, dispatcher, (performance.now() - began) / 1000)
}

/** All subscriptions have had deliveries at some time. */
const LANES = `
  INSERT INTO lane (subscription, owner, host, cap)
  SELECT m.uuid, ${LANE_COPIES} FROM eventmatch m WHERE EXISTS (SELECT FROM delivery d WHERE d.subscription = m.uuid)`

function siteOf(notifications: Service, dispatcher: Service, fillS: number): FilledSite {
  const close = async () => {
    for (const { database } of [notifications, dispatcher]) await database.close()
  }
  return { notifications, dispatcher, fillS, close }
}

/** Of one that was closed. */
export async function reopenSite({
  notifications,
  dispatcher,
  fillS,
}: FilledSite): Promise<FilledSite> {
  const open = async (service: Service) => ({ ...service, database: await reopen(service.url) })
  return siteOf(await open(notifications), await open(dispatcher), fillS)
}

export function reopen(url: string): Promise<Database> {
  return openDatabase({ log }, { url, folder: 'none', statementMs: 3_600_000 })
}

/** A server of our own need not write everything twice while it is filled; it still syncs. */
export async function hurry(sql: Sql): Promise<void> {
  for (const [name, value] of HURRIED) await sql.query(`ALTER SYSTEM SET ${name} = '${value}'`)
  await sql.query('SELECT pg_reload_conf()')
}

/** From here on as it is installed, and everything is on the disk. */
export async function atEase(sql: Sql): Promise<void> {
  for (const [name] of HURRIED) await sql.query(`ALTER SYSTEM RESET ${name}`)
  await sql.query('SELECT pg_reload_conf()')
  await sql.query('CHECKPOINT')
}

const HURRIED = [
  ['max_wal_size', '16GB'],
  ['checkpoint_timeout', '1h'],
  ['autovacuum', 'off'],
  ['maintenance_work_mem', '1GB'],
  ['work_mem', '256MB'],
] as const
