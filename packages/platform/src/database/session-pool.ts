/** The connections to either engine: `pg`'s pool with sessions of one kind. */
import pg from 'pg'
import { arrayLiteral } from './array-literal.ts'
import { planRenewal, type RenewPlans } from './plan-renewal.ts'
import { isUnavailable, sqlState } from './unavailable.ts'
import { valueTypes } from './value-types.ts'

/**
 * Prisma reads and writes timestamptz as if the session's zone were UTC; the other two make the text that the value
 * parsers expect, whatever the server's settings are. Our statements are short: compiling one (JIT), which PostgreSQL
 * does where its statistics are missing or mistaken, takes a hundred times as long as running it.
 */
const SESSION =
  "SELECT set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false), set_config('bytea_output', 'hex', false), set_config('jit', 'off', false)"

const renewals = new WeakMap<pg.Pool, RenewPlans>()

export function sessionPool(config: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({
    ...config,
    types: valueTypes,
    onConnect: async (client) => {
      await client.query(SESSION)
    },
  })
  pool.query = queryOn(pool) as pg.Pool['query']
  renewals.set(pool, planRenewal())
  return pool
}

/** Runs a statement, or a script without values, on one connection. */
export type Run = (
  statement: string | pg.QueryConfig,
  values?: readonly unknown[],
) => Promise<pg.QueryResult | pg.QueryResult[]>

/** Unlike the original, it keeps the connection when PostgreSQL merely refused the statement. */
function queryOn(pool: pg.Pool): Run {
  return (statement, values) => onConnection(pool, (run) => run(statement, values))
}

/** `work` has a connection for itself. Afterwards it goes back to the pool, or is ended if it was lost. */
export async function onConnection<T>(pool: pg.Pool, work: (run: Run) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  client.on('error', leaveToStatement)
  let lost = false
  try {
    return await work(async (statement, values) => {
      try {
        if (typeof statement !== 'string' && statement.name) await renewals.get(pool)?.(client)
        return await client.query(statement as pg.QueryConfig, values?.map(asParameter))
      } catch (error) {
        lost ||= isLost(error)
        throw error
      }
    })
  } finally {
    client.off('error', leaveToStatement)
    client.release(lost)
  }
}

function asParameter(value: unknown): unknown {
  return Array.isArray(value) ? (arrayLiteral(value) ?? value) : value
}

/** The connection is gone, or still busy with a statement that was given up. */
export function isLost(error: unknown): boolean {
  return isUnavailable(error) && /^(08|57P0|25P03|$)/.test(sqlState(error) ?? '')
}

/** A lost connection also rejects the statement in hand, or the next one. */
function leaveToStatement() {}
