/** A PostgreSQL server: waits for it at the start; later losses are each statement's error, and it reconnects. */
import pg from 'pg'
import { sleep } from '../../runtime/sleep.ts'
import type { Log } from '../../telemetry/log.ts'
import type { Database } from '../database.ts'
import { poolDatabase } from '../pool-database.ts'
import { preparedStatements } from '../prepared.ts'
import { sessionPool } from '../session-pool.ts'
import { isUnavailable } from '../unavailable.ts'
import { placeOf, serverUrl } from './database-url.ts'
import { serverBells } from './server-bells.ts'

export class DatabaseConnectError extends Error {
  readonly code = 'DATABASE_CONNECT'
}

export interface ServerOptions {
  readonly url: string
  readonly poolSize?: number | undefined
  readonly connectAttempts?: number | undefined
  readonly connectWaitMs?: number | undefined
  readonly whenAway?: 'give up' | 'open' | undefined
  readonly statementMs?: number | undefined
  readonly prepare?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export async function openServer(needs: { log: Log }, options: ServerOptions): Promise<Database> {
  const { log } = needs
  const url = serverUrl(options.url)
  const connection = {
    connectionString: url.href,
    fallback_application_name: 'pacifica',
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
  }
  const pool = sessionPool({
    ...connection,
    max: options.poolSize ?? 10,
    query_timeout: options.statementMs ?? 120_000,
  })
  reportLosses(pool, log)
  try {
    await connect(pool, placeOf(url), needs, options)
  } catch (error) {
    if (options.whenAway !== 'open' || !isUnavailable(error)) {
      await pool.end()
      throw error
    }
    log.warn({ reason: (error as Error).message }, 'database.away_at_start')
  }
  const bells = serverBells({ log, pool, client: () => new pg.Client(connection) })
  const prepared = preparedStatements(options.prepare ?? true, (reason) =>
    log.warn({ reason }, 'database.not_preparing'),
  )
  return poolDatabase(pool, {
    name: 'postgresql',
    prepared,
    bell: bells.bell,
    async close(endPool) {
      await bells.close()
      await endPool()
    },
  })
}

/** Of connections that lie idle; the pool replaces them. Unheard, the event would end the process. */
function reportLosses(pool: pg.Pool, log: Log) {
  let connections = 0
  pool.on('error', ({ message: reason }) => {
    connections += 1
    if (connections > 1) return
    setTimeout(() => {
      log.warn({ connections, reason }, 'database.connections_lost')
      connections = 0
    }, 100).unref()
  })
}

async function connect(
  pool: pg.Pool,
  place: string,
  { log }: { log: Log },
  options: ServerOptions,
) {
  const { connectAttempts = 10, connectWaitMs = 20_000, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      await pool.query('SELECT 1')
      return
    } catch (error) {
      const reason =
        error instanceof Error ? error.message || String(Reflect.get(error, 'code')) : ''
      const mayCome = isUnavailable(error) && attempt < connectAttempts
      if (mayCome) {
        log.warn({ place, reason, attempt, connectAttempts, connectWaitMs }, 'database.awaited')
        await sleep(connectWaitMs, signal)
      }
      if (!mayCome || signal?.aborted) {
        throw new DatabaseConnectError(
          `Cannot use PostgreSQL at ${place}: ${reason} (attempt ${attempt} of ${connectAttempts})`,
          { cause: error },
        )
      }
    }
  }
}
