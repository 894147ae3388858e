/**
 * PostgreSQL inside this process (PGlite), in a folder of its own: `lock`, and `data`. It is one session, so the pool
 * has one connection: transactions, Prisma's too, and single statements take turns.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bell, createBell } from '../../runtime/bell.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Database } from '../database.ts'
import { poolDatabase } from '../pool-database.ts'
import { sessionPool } from '../session-pool.ts'
import { startEngine } from './engine.ts'
import { lockFolder } from './folder-lock.ts'
import { HOUSEKEEPING, type HousekeepingPolicy, housekeeping } from './housekeeping.ts'
import { openSession } from './session.ts'

export async function openEmbedded(
  needs: { log: Log },
  options: { folder: string; housekeeping?: HousekeepingPolicy },
): Promise<Database> {
  await mkdir(options.folder, { recursive: true, mode: 0o700 })
  const lock = lockFolder(options.folder)
  try {
    const engine = await startEngine(join(options.folder, 'data'))
    const session = openSession(engine, (error) => needs.log.error({ error }, 'database.failed'))
    const pool = sessionPool({ ...session.config, max: 1, idleTimeoutMillis: 0 })
    pool.on('error', () => {}) // of a failed engine, which has been logged
    const closing = new AbortController()
    const database = poolDatabase(pool, {
      name: 'embedded',
      bell: bellsHere(),
      async close(endPool) {
        closing.abort()
        await house
        await endPool()
        if (!session.failure()) await engine.close()
        lock.release()
      },
    })
    const policy = options.housekeeping ?? HOUSEKEEPING
    const house = housekeeping({ ...needs, sql: database }, policy, closing.signal)
    return database
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Nobody outside this process can have changed anything. */
function bellsHere(): (channel: string) => Bell {
  const bells = new Map<string, Bell>()
  return (channel) => {
    const bell = bells.get(channel) ?? createBell()
    bells.set(channel, bell)
    return bell
  }
}
