import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Postgres, startPostgres } from '../../../../../test/harness/index.ts'
import { createLog } from '../../telemetry/log.ts'
import type { Database } from '../database.ts'
import { type OpenDatabaseOptions, openDatabase } from '../open-database.ts'
import { isUnavailable } from '../unavailable.ts'

const { signal: never } = new AbortController()
let server: Postgres
let opened: Database[] = []

beforeAll(async () => {
  server = await startPostgres({ durable: true, own: true })
}, 600_000)
afterAll(() => server.stop())
afterEach(async () => {
  for (const database of opened) await database.close()
  opened = []
})

const silent = createLog({ name: 'test', level: 'silent' })

async function open(options: Partial<OpenDatabaseOptions> = {}, log = silent) {
  const database = await openDatabase({ log }, { url: server.url, folder: 'unused', ...options })
  opened.push(database)
  return database
}

/** As workers do: again while the database is away. */
async function eventually<T>(work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + 45_000
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error) || Date.now() > deadline) throw error
      await sleep(20)
    }
  }
}

test.each(['soft', 'hard'] as const)(
  'survives a %s restart: errors say that it is away, then all works again',
  async (how) => {
    const database = await open({ poolSize: 4 })
    await database.query('CREATE TABLE IF NOT EXISTS kept (n int)')
    await Promise.all(Array.from({ length: 4 }, () => database.query('SELECT pg_sleep(0.05)')))
    const inHand = database.transaction((sql) => sql.query('SELECT pg_sleep(600)'))
    const prisma = await database.adapter.connect()
    const theirs = prisma.queryRaw({ sql: 'SELECT pg_sleep(600)::text', args: [], argTypes: [] })
    const outcomes = Promise.allSettled([inHand, theirs])
    await sleep(200)
    await server.halt(how)
    for (const outcome of await outcomes) {
      expect(outcome.status).toBe('rejected')
      expect(isUnavailable((outcome as PromiseRejectedResult).reason)).toBe(true)
    }
    await expect(database.query('SELECT 1').catch(isUnavailable)).resolves.toBe(true)
    await expect(database.check(5_000)).rejects.toThrow()
    const away = prisma.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] })
    await expect(away.catch(isUnavailable)).resolves.toBe(true)
    await server.resume()
    await eventually(() => database.query('INSERT INTO kept VALUES (1)'))
    await eventually(() => database.transaction((sql) => sql.query('SELECT * FROM kept')))
    await database.check(10_000)
  },
)

test('opened although the server is away, it fails until the server is there; a wrong name still ends it', async () => {
  await server.halt('soft')
  const database = await open({ connectAttempts: 1, whenAway: 'open' })
  await expect(database.query('SELECT 1').catch(isUnavailable)).resolves.toBe(true)
  await server.resume()
  expect(await eventually(() => database.query('SELECT 1 AS n'))).toEqual([{ n: 1 }])
  const url = server.url.replace(/postgres$/, 'no_such_database')
  await expect(open({ url, connectAttempts: 1, whenAway: 'open' })).rejects.toMatchObject({
    code: 'DATABASE_CONNECT',
    message: expect.stringContaining('no_such_database'),
  })
})

test('waits for a server that is still to come, and says where it is without the password', async () => {
  await server.halt('soft')
  const lines: string[] = []
  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => lines.push(line) },
  })
  const url = server.url.replace('postgres@', 'postgres:hunter2@')
  const opening = open({ url, connectAttempts: 1_000, connectWaitMs: 20 }, log)
  while (lines.length < 3) await sleep(10)
  await server.resume()
  await (await opening).check(10_000)
  expect(lines[0]).toContain('127.0.0.1')
  expect(lines[0]).toContain('ECONNREFUSED')
  expect(lines.join()).not.toContain('hunter2')
})

test('gives up after the attempts it was given, or at once where waiting is no use', async () => {
  const port = await closedPort()
  const nobody = open({
    url: `postgresql://u:hunter2@127.0.0.1:${port}/db`,
    connectAttempts: 3,
    connectWaitMs: 5,
  })
  await expect(nobody).rejects.toThrow(
    /^Cannot use PostgreSQL at 127.0.0.1:\d+\/db: .*ECONNREFUSED.* \(attempt 3 of 3\)$/,
  )
  await expect(open({ url: server.url.replace(/postgres$/, 'missing') })).rejects.toMatchObject({
    code: 'DATABASE_CONNECT',
    message: expect.stringContaining('"missing" does not exist (attempt 1 of 10)'),
  })
})

test('stops waiting when it is told to', async () => {
  const stopping = new AbortController()
  const port = await closedPort()
  const url = `postgresql://u@127.0.0.1:${port}/db`
  const opening = open({ url, connectWaitMs: 600_000, signal: stopping.signal })
  setTimeout(() => stopping.abort(), 50)
  await expect(opening).rejects.toMatchObject({ code: 'DATABASE_CONNECT' })
})

test('a statement that hangs is given up, and does not block its connection', async () => {
  const database = await open({ poolSize: 1, statementMs: 200 })
  await expect(database.query('SELECT pg_sleep(600)').catch(isUnavailable)).resolves.toBe(true)
  expect(await database.query('SELECT 1 AS it')).toEqual([{ it: 1 }])
})

test('who forgets to use the transaction within one is told so, also when another has ended meanwhile', async () => {
  const database = await open()
  const outcome = database.transaction(async () => {
    await Promise.resolve().then(() => ended)
    return database.query('SELECT 1')
  })
  const ended = database.transaction((sql) => sql.query('SELECT 1'))
  await ended
  await expect(outcome).rejects.toMatchObject({ code: 'TRANSACTION_BYPASSED' })
})

test('a refused statement costs no connection', async () => {
  const database = await open({ poolSize: 1 })
  const pid = async () => database.query('SELECT pg_backend_pid() AS pid')
  const before = await pid()
  await expect(database.query('SELECT 1/0')).rejects.toMatchObject({ code: '22012' })
  await expect(database.transaction(() => Promise.reject(new Error('mine')))).rejects.toThrow(
    'mine',
  )
  await expect(database.transaction((sql) => sql.query('SELECT 1/0'))).rejects.toMatchObject({
    code: '22012',
  })
  expect(await pid()).toEqual(before)
})

test('a bell rung in one process rings in the others, also after a restart', async () => {
  const [here, there] = [await open(), await open()]
  await hears(here, there, 'one')
  await server.restart('hard')
  await eventually(() => here.query('SELECT 1'))
  await hears(here, there, 'one')
  await hears(there, here, 'two')
})

/** Rings again and again, since listening may just be coming back, until it is heard. */
async function hears(from: Database, to: Database, channel: string) {
  const heard = to.bell(channel).wait(45_000, never)
  const ringing = setInterval(() => from.bell(channel).ring(), 50)
  const start = performance.now()
  await heard
  clearInterval(ringing)
  expect(performance.now() - start).toBeLessThan(40_000)
  await eventually(() => from.query('SELECT 1'))
}

test('what rang while nobody could be heard is made up for: all bells ring when listening is back', async () => {
  const database = await open()
  const waiters = ['a', 'b'].map((name) => database.bell(name))
  await eventually(async () => {
    const rows = await database.query("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
    if (rows.length === 0) throw Object.assign(new Error('not yet'), { code: 'ECONNREFUSED' })
  })
  await Promise.all(waiters.map((bell) => bell.wait(500, never))) // those of the first connection
  const rung = waiters.map((bell) => bell.wait(45_000, never))
  const start = performance.now()
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'",
  )
  await Promise.all(rung)
  expect(performance.now() - start).toBeLessThan(40_000)
})

test('a process does not wake up twice by its own ringing, and many rings make few notifications', async () => {
  const [here, there] = [await open(), await open()]
  await hears(here, there, 'burst')
  await sleep(500)
  let wakes = 0
  const stop = new AbortController()
  const counting = (async () => {
    while (!stop.signal.aborted) {
      await there.bell('burst').wait(60_000, stop.signal)
      wakes += 1
    }
  })()
  for (let n = 0; n < 1_000; n += 1) here.bell('burst').ring()
  await expect.poll(() => wakes, { timeout: 45_000 }).toBeGreaterThan(0)
  await sleep(1_000)
  stop.abort()
  await counting
  expect(wakes).toBeLessThanOrEqual(6)
  await here.bell('burst').wait(1, never) // takes the one ring that stood
  const start = performance.now()
  await here.bell('burst').wait(300, never)
  expect(performance.now() - start).toBeGreaterThan(250)
})

test('what is rung in the last moment before the end is told to the other processes', async () => {
  const there = await open()
  const other = new pg.Client({ connectionString: server.url })
  await other.connect()
  try {
    await other.query('LISTEN last')
    // The first is told at once, the others together: unless that takes too long, as on a busy machine.
    const deadline = Date.now() + 45_000
    let told = 0
    while (told < 2 && Date.now() < deadline) told = await toldAtTheEnd(there, other)
    expect(told).toBe(2)
  } finally {
    await other.end()
  }
})

/** How often `other` hears of a process that rings five times and is closed. */
async function toldAtTheEnd(there: Database, other: pg.Client): Promise<number> {
  const here = await open()
  await hears(there, here, 'here is listening')
  let told = 0
  const end = new Promise<void>((resolve) => {
    other.on('notification', ({ payload }) => {
      if (payload === 'the end') resolve()
      else told += 1
    })
  })
  for (let n = 0; n < 5; n += 1) here.bell('last').ring()
  await here.close()
  await there.query("SELECT pg_notify('last', 'the end')")
  await end
  other.removeAllListeners('notification')
  return told
}

async function closedPort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const { port } = listener.address() as { port: number }
  await new Promise((resolve) => listener.close(resolve))
  return port
}
