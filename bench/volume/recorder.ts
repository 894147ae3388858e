/**
 * A port to the database that explains what it is given, before it does it: the code's own functions run on it, so the
 * statements are the code's own. All that a case does is rolled back.
 */
import type { Database, Sql } from '@pacifica/platform'
import { explainGeneric } from './generic.ts'
import { type Explained, type Figures, figuresOf } from './plan.ts'

export interface Statement {
  readonly text: string
  readonly figures: Figures
  /** Of one that is prepared: the same by a plan that knows no values. */
  readonly generic: Figures | undefined
}

/** What the functions of the services ask for. */
export interface Ports {
  /** Its transactions are part of the one that is rolled back. */
  readonly database: Database
  /** The same for Prisma, on a connection of its own: what one of the two writes the other does not see. */
  readonly adapter: Database['adapter']
}

class RolledBack extends Error {
  readonly code = 'ROLLED_BACK'
}

const EXPLAIN = 'EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)'

/** Everything that `work` has the database do, in order. */
export async function record(
  database: Database,
  work: (ports: Ports) => Promise<unknown>,
): Promise<Statement[]> {
  const told: Statement[] = []
  const tell: Tell = (text, answer, generic) =>
    told.push({
      ...{ text: flat(text), figures: figuresOf(explainedOf(answer)) },
      generic: generic === undefined ? undefined : figuresOf(explainedOf(generic)),
    })
  const prisma = await rolledBackAdapter(database, tell)
  try {
    await database.transaction(async (sql) => {
      await work({ database: explaining(database, sql, tell), adapter: prisma.adapter })
      throw new RolledBack()
    })
  } catch (error) {
    if (!(error instanceof RolledBack)) throw error
  } finally {
    await prisma.end()
  }
  return told
}

type Tell = (text: string, answer: unknown, generic?: unknown) => void

function flat(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

function explainedOf(answer: unknown): Explained {
  const parsed = typeof answer === 'string' ? JSON.parse(answer) : answer
  return (parsed as [Explained])[0]
}

/** Locks and settings have no plan. */
const PLANNED = /^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b/i

function explaining(real: Database, transaction: Sql, tell: Tell): Database {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const next = last.then(work)
    last = next.catch(() => {})
    return next
  }
  const undone = async <T>(work: () => Promise<T>): Promise<T> => {
    await transaction.query('SAVEPOINT explained')
    const answer = await work()
    await transaction.query('ROLLBACK TO SAVEPOINT explained')
    return answer
  }
  const sql: Sql = {
    query: (text, values, planned) =>
      inTurn(async () => {
        if (PLANNED.test(text)) {
          const [row] = await undone<{ 'QUERY PLAN': unknown }[]>(() =>
            transaction.query(`${EXPLAIN} ${text}`, values),
          )
          const generic =
            planned === 'prepared'
              ? await undone(() => explainGeneric(transaction, EXPLAIN, text, values ?? []))
              : undefined
          tell(text, row?.['QUERY PLAN'], generic)
        }
        return transaction.query(text, values)
      }),
  }
  return { ...real, ...sql, transaction: (work) => work(sql) }
}

type Adapter = Awaited<ReturnType<Database['adapter']['connect']>>
type Transaction = Awaited<ReturnType<Adapter['startTransaction']>>

/** All of its transactions are one, of which nothing stays. */
async function rolledBackAdapter(
  database: Database,
  tell: Tell,
): Promise<{ adapter: Database['adapter']; end: () => Promise<void> }> {
  const real = await database.adapter.connect()
  const transaction = await real.startTransaction()
  const statements = explainingAdapter(transaction, tell)
  const nested: Transaction = {
    ...statements,
    options: { usePhantomQuery: true },
    commit: async () => {},
    rollback: async () => {
      throw new Error('a case has rolled its transaction back: it had failed')
    },
  }
  const { provider, adapterName } = database.adapter
  const connected: Adapter = {
    ...statements,
    executeScript: (script) => real.executeScript(script),
    startTransaction: async () => nested,
    dispose: async () => {},
  }
  return {
    adapter: { provider, adapterName, connect: async () => connected },
    async end() {
      await transaction.executeRaw({ sql: 'ROLLBACK', args: [], argTypes: [] })
      await transaction.rollback()
      await real.dispose()
    },
  }
}

type Query = Parameters<Transaction['queryRaw']>[0]

function explainingAdapter(transaction: Transaction, tell: Tell) {
  const { provider, adapterName } = transaction
  const command = (sql: string) => transaction.executeRaw({ sql, args: [], argTypes: [] })
  const explain = async (query: Query) => {
    if (!PLANNED.test(query.sql)) return
    await command('SAVEPOINT explained')
    const { rows } = await transaction.queryRaw({ ...query, sql: `${EXPLAIN} ${query.sql}` })
    tell(query.sql, rows[0]?.[0])
    await command('ROLLBACK TO SAVEPOINT explained')
  }
  return {
    provider,
    adapterName,
    async queryRaw(query: Query) {
      await explain(query)
      return transaction.queryRaw(query)
    },
    async executeRaw(query: Query) {
      await explain(query)
      return transaction.executeRaw(query)
    },
  }
}
