/** A `Database` over a pool: what both engines have in common. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import type { Bell } from '../runtime/bell.ts'
import type { Database, Planned, Row, Sql } from './database.ts'
import { type PreparedStatements, preparedStatements } from './prepared.ts'
import { isLost, onConnection, type Run } from './session-pool.ts'

export class TransactionLostError extends Error {
  readonly code = 'TRANSACTION_LOST'
}

export class TransactionBypassedError extends Error {
  readonly code = 'TRANSACTION_BYPASSED'
}

/** The adapter brings types of an older `pg`. */
type PrismaPool = ConstructorParameters<typeof PrismaPg>[0]

export function poolDatabase(
  pool: pg.Pool,
  engine: {
    readonly name: Database['engine']
    /** Default: all that are asked for are prepared. */
    readonly prepared?: PreparedStatements
    bell(channel: string): Bell
    /** What is to be closed beside the pool. */
    close(endPool: () => Promise<void>): Promise<void>
  },
): Database {
  const around = new AsyncLocalStorage<{ over: boolean }>()
  let open = 0
  const { prepared = preparedStatements(true) } = engine
  let closed: Promise<void> | undefined

  /** A pool whose connections all wait for another one would wait for ever; PGlite has only one. */
  async function connected<T>(work: (run: Run) => Promise<T>): Promise<T> {
    if (around.getStore()?.over === false) {
      throw new TransactionBypassedError(
        'Within a transaction only its own `sql` may be used: this statement would wait for ever',
      )
    }
    return onConnection(pool, work)
  }
  const query: Database['query'] = (text, values, planned) =>
    connected(async (run) => {
      const sql = rowsBy(run, prepared)
      try {
        return await sql(text, values, planned)
      } catch (error) {
        if (!prepared.recover(text, error)) throw error
        return await sql(text, values, planned)
      }
    })
  const transaction: Database['transaction'] = (work) =>
    connected((run) => {
      const state = { over: false }
      open += 1
      const worked = inTransaction(run, prepared, (sql) => around.run(state, work, sql))
      return worked.finally(() => {
        state.over = true
        open -= 1
        // Else Node 20 and 22 go on following every promise of the process.
        if (open === 0) around.disable()
      })
    })

  return {
    engine: engine.name,
    adapter: new PrismaPg(pool as unknown as PrismaPool),
    query,
    transaction,
    async script(text) {
      await transaction((sql) => sql.query(text))
    },
    bell: (channel) => engine.bell(channel),
    check: (ms) => within(ms, () => pool.query('SELECT 1')),
    close() {
      closed ??= engine.close(() => pool.end())
      return closed
    },
  }
}

async function inTransaction<T>(
  run: Run,
  prepared: PreparedStatements,
  work: (sql: Sql) => Promise<T>,
): Promise<T> {
  await run('BEGIN')
  const { sql, end } = oneAfterTheOther(run, prepared)
  try {
    const result = await work(sql)
    await end()
    const commit = await run('COMMIT')
    // PostgreSQL answers so, without an error, when a statement had failed and `work` went on regardless.
    if (!Array.isArray(commit) && commit.command === 'ROLLBACK') {
      throw new TransactionLostError(
        'The transaction was rolled back: one of its statements had failed, and that error was swallowed',
      )
    }
    return result
  } catch (error) {
    await end()
    // With its connection the transaction is rolled back by itself.
    if (!isLost(error)) await run('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Statements of one transaction in the order they were asked for; none after its end. */
function oneAfterTheOther(
  run: Run,
  prepared: PreparedStatements,
): { sql: Sql; end(): Promise<void> } {
  const rows = rowsBy(run, prepared)
  let last: Promise<unknown> = Promise.resolve()
  let over = false
  return {
    sql: {
      query<R extends object = Row>(
        text: string,
        values?: readonly unknown[],
        planned?: Planned,
      ): Promise<R[]> {
        if (over) {
          return Promise.reject(new TransactionLostError('This transaction has ended already'))
        }
        const next = last.then(() => rows<R>(text, values, planned))
        // The transaction is lost all the same, but the next one runs it under another name.
        last = next.catch((error) => prepared.recover(text, error))
        return next
      },
    },
    async end() {
      over = true
      await last
    },
  }
}

function rowsBy(run: Run, prepared: PreparedStatements): Sql['query'] {
  return async <R extends object = Row>(
    text: string,
    values: readonly unknown[] = [],
    planned: Planned = 'each time',
  ): Promise<R[]> => {
    const name = planned === 'prepared' ? prepared.nameOf(text) : undefined
    const result = await run(name === undefined ? text : { name, text }, values)
    const last = Array.isArray(result) ? result.at(-1) : result
    return last?.rows ?? []
  }
}

/** The work goes on when it is late; nobody waits for it. */
async function within(ms: number, work: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The database gave no answer in ${ms} ms`)), ms)
  })
  try {
    await Promise.race([work(), late])
  } finally {
    clearTimeout(timer)
  }
}
