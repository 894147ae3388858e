/** A `Database` over a pool: what both engines have in common. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PrismaPg } from '@prisma/adapter-pg'
import type pg from 'pg'
import type { Bell } from '../runtime/bell.ts'
import type { Database, Row, Sql } from './database.ts'
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
    bell(channel: string): Bell
    /** What is to be closed beside the pool. */
    close(endPool: () => Promise<void>): Promise<void>
  },
): Database {
  const around = new AsyncLocalStorage<{ over: boolean }>()
  let open = 0
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
  const transaction: Database['transaction'] = (work) =>
    connected((run) => {
      const state = { over: false }
      open += 1
      return inTransaction(run, (sql) => around.run(state, work, sql)).finally(() => {
        state.over = true
        open -= 1
        // Else Node 20 and 22 go on following every promise of the process.
        if (open === 0) around.disable()
      })
    })

  return {
    engine: engine.name,
    adapter: new PrismaPg(pool as unknown as PrismaPool),
    query: (text, values) => connected((run) => rowsOf(run, text, values)),
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

async function inTransaction<T>(run: Run, work: (sql: Sql) => Promise<T>): Promise<T> {
  await run('BEGIN')
  const { sql, end } = oneAfterTheOther(run)
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
function oneAfterTheOther(run: Run): { sql: Sql; end(): Promise<void> } {
  let last: Promise<unknown> = Promise.resolve()
  let over = false
  return {
    sql: {
      query<R extends object = Row>(text: string, values?: readonly unknown[]): Promise<R[]> {
        if (over) {
          return Promise.reject(new TransactionLostError('This transaction has ended already'))
        }
        const next = last.then(() => rowsOf<R>(run, text, values))
        last = next.catch(() => {})
        return next
      },
    },
    async end() {
      over = true
      await last
    },
  }
}

async function rowsOf<R extends object = Row>(
  run: Run,
  text: string,
  values: readonly unknown[] = [],
): Promise<R[]> {
  const result = await run(text, [...values])
  const last = Array.isArray(result) ? result.at(-1) : result
  return last?.rows ?? []
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
