/**
 * A PostgreSQL for tests: a private server in a temporary folder, or, with TEST_DATABASE_URL, databases of our own
 * on a server that is already there.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { type HaltMode, startServer } from './postgres-server.ts'

export interface TestDatabase {
  readonly name: string
  readonly url: string
  drop(): Promise<void>
}

export interface Postgres {
  /** Of the server's own database `postgres`. */
  readonly url: string
  /** An empty database. Those not dropped are dropped by `stop`. */
  createDatabase(): Promise<TestDatabase>
  /** Away, and back on the same port: what services must survive. Not on a server that is not ours. */
  halt(how: HaltMode): Promise<void>
  resume(): Promise<void>
  restart(how: HaltMode): Promise<void>
  stop(): Promise<void>
}

export interface PostgresOptions {
  /** fsync as in production; off by default, for speed. */
  readonly durable?: boolean
  /** A server of our own also with TEST_DATABASE_URL: for tests that halt it. */
  readonly own?: boolean
}

export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const { durable = false, own = false } = options
  const { TEST_DATABASE_URL: given } = process.env
  if (given && !own) return onServer(given, foreignServer)
  const server = await startServer({ durable })
  return onServer(server.url, server)
}

interface Power {
  halt(how: HaltMode): Promise<void>
  resume(): Promise<void>
  stop(): Promise<void>
}

const foreignServer: Power = {
  halt: notOurs,
  resume: notOurs,
  async stop() {},
}

async function notOurs(): Promise<void> {
  throw new Error('The server of TEST_DATABASE_URL is not ours to stop: ask for one with `own`.')
}

function onServer(url: string, power: Power): Postgres {
  const databases = new Set<TestDatabase>()

  async function createDatabase() {
    const name = `test_${process.pid}_${randomBytes(5).toString('hex')}`
    await execute(url, `CREATE DATABASE ${name}`)
    const database = {
      name,
      url: Object.assign(new URL(url), { pathname: `/${name}` }).href,
      async drop() {
        await execute(url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
        databases.delete(database)
      },
    }
    databases.add(database)
    return database
  }

  return {
    url,
    createDatabase,
    halt: (how) => power.halt(how),
    resume: () => power.resume(),
    async restart(how) {
      await power.halt(how)
      await power.resume()
    },
    async stop() {
      if (power === foreignServer) for (const database of [...databases]) await database.drop()
      await power.stop()
    },
  }
}

async function execute(url: string, statement: string) {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {}) // also reported by the statement that it broke
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
