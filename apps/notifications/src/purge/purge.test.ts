/** Purging on both engines. */
import type { Database } from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ENGINES,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from '../../../../test/harness/index.ts'
import { recordAnswers } from '../authorize/record-answers.ts'
import { purgeEvents } from './purge.ts'
import { retentionStep } from './retention.ts'

const before = new Date('2024-01-01T00:00:00Z')
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const SUBSCRIPTION = id(1)

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let database: Database

  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
    database = home.database
    await database.query(
      `INSERT INTO eventmatch (uuid, name, jsonpath, "user", target_url) VALUES ($1, 'n', '$', 'ann', 'http://h/')`,
      [SUBSCRIPTION],
    )
  }, 300_000)
  afterAll(() => home?.close())
  beforeEach(() => database.script('DELETE FROM eventlogmatch; DELETE FROM eventlog'))

  /** Events of 2023 (old) or 2025, one delivery each in the given state, an attempt, an answer and a note of Python. */
  async function event(n: number, state: string, year = 2023, events = 'matched') {
    await database.query(
      `WITH event AS (INSERT INTO eventlog (uuid, jsondata, created) VALUES ($1, '{}', $3) RETURNING uuid)
       INSERT INTO event_state (event, state) SELECT uuid, $2 FROM event`,
      [id(n), events, new Date(Date.UTC(year, 5, 1, 0, 0, n))],
    )
    await database.query(
      `INSERT INTO delivery (uuid, event, subscription, owner, state) VALUES ($1, $1, $2, 'ann', $3)`,
      [id(n), SUBSCRIPTION, state],
    )
    await database.query(
      `INSERT INTO attempt (delivery, number, replay, started, duration_ms, outcome) VALUES ($1, 1, 0, now(), 1, 'x')`,
      [id(n)],
    )
    await database.query(`INSERT INTO policy_answer (event, owner) VALUES ($1, 'ann')`, [id(n)])
    await database.query(
      `INSERT INTO eventlogmatch (uuid, event_log_id, event_match_id, policy_status_code, policy_resp_body, created)
       VALUES ($1, $1, $2, '200', '', now())`,
      [id(n), SUBSCRIPTION],
    )
  }
  const left = async () => {
    const rows = await database.query<{ uuid: string }>('SELECT uuid FROM eventlog ORDER BY uuid')
    return rows.map(({ uuid }) => Number(uuid.slice(-12)))
  }
  const countOf = async (table: string) =>
    (await database.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n

  test('old events go with all that belongs to them, newer ones stay', async () => {
    for (const n of [1, 2, 3]) await event(n, 'delivered')
    await event(4, 'delivered', 2025)
    expect(await purgeEvents(database, { which: { before }, batch: 2 })).toEqual({
      purged: 3,
      kept: 0,
    })
    expect(await left()).toEqual([4])
    for (const table of ['event_state', 'delivery', 'attempt', 'policy_answer', 'eventlogmatch'])
      expect(await countOf(table)).toBe(1)
  })

  test('the state goes with an event that somebody deletes by hand', async () => {
    for (const n of [1, 2]) await event(n, 'delivered')
    await database.script(`DELETE FROM eventlogmatch; DELETE FROM eventlog WHERE uuid = '${id(1)}'`)
    expect(await database.query('SELECT event FROM event_state')).toEqual([{ event: id(2) }])
  })

  test('what still waits is kept, unless told otherwise', async () => {
    const waiting = ['pending', 'delivering', 'retrying', 'held']
    const settled = ['delivered', 'denied', 'exhausted', 'cancelled', 'failed']
    for (const [n, state] of [...waiting, ...settled].entries()) await event(n, state)
    await event(20, 'delivered', 2023, 'new')
    await event(21, 'delivered', 2023, 'unmatchable')
    expect(await purgeEvents(database, { which: { before }, batch: 2 })).toEqual({
      purged: 5,
      kept: 6,
    })
    expect(await left()).toEqual([0, 1, 2, 3, 20, 21])
    const all = await purgeEvents(database, { which: { before }, pendingToo: 'all' })
    expect(all).toEqual({ purged: 6, kept: 0 })
  })

  test('by id, whatever their age, and no more than asked for', async () => {
    for (const n of [1, 2, 3]) await event(n, 'delivered', 2025)
    await purgeEvents(database, { which: { uuids: [id(1), id(3), id(9)] } })
    expect(await left()).toEqual([2])
    for (const n of [4, 5, 6]) await event(n, 'delivered')
    const limited = await purgeEvents(database, { which: { before }, limit: 2 })
    expect(limited).toEqual({ purged: 2, kept: 0 })
    expect(await left()).toEqual([2, 6])
  })

  test('retention purges what is older than it says', async () => {
    await event(1, 'delivered')
    await event(2, 'pending')
    await event(4, 'held')
    await database.query(
      `WITH event AS (INSERT INTO eventlog (uuid, jsondata) VALUES ($1, '{}') RETURNING uuid)
       INSERT INTO event_state (event, state) SELECT uuid, 'matched' FROM event`,
      [id(3)],
    )
    const { signal } = new AbortController()
    const step = retentionStep({ database, log: silentLog, signal }, { retentionMs: 3_600_000 })
    expect(await step()).toBe(false)
    expect(await left()).toEqual([2, 3])
  })

  if (engine === 'postgresql') {
    test.each([
      ['', 'eventlog WHERE uuid'],
      [', to match it,', 'event_state WHERE event'],
    ])('an event that somebody holds%s is left for the next time', async (_why, row) => {
      await event(1, 'delivered')
      await event(2, 'delivered')
      const other = await home.another()
      await other.transaction(async (sql) => {
        await sql.query(`SELECT FROM ${row} = $1 FOR UPDATE`, [id(1)])
        expect(await purgeEvents(database, { which: { before } })).toEqual({ purged: 1, kept: 0 })
      })
      expect(await left()).toEqual([1])
    })

    test('what waits, and is kept, is not locked', async () => {
      await event(1, 'pending')
      await event(2, 'delivered')
      const other = await home.another()
      let free = 0
      const looking = between(async () => {
        free = (await other.query('SELECT FROM delivery FOR UPDATE SKIP LOCKED')).length
      })
      await purgeEvents(looking, { which: { before } })
      expect(free).toBe(1)
      expect(await left()).toEqual([1])
    })

    test.each(['delivery', 'policy_answer'])(
      'a purge and answers of Policy for the same events, one of whose rows of %s they hold: neither waits in a circle',
      async (table) => {
        for (const n of [1, 2]) await event(n, 'pending')
        const answers = [1, 2].map((n) => ({
          question: { event: id(n), owner: 'ann', claim: 0 },
          answer: { kind: 'allowed', status: 200, body: '' } as const,
          askAgainMs: 0,
        }))
        const other = await home.another()
        const answered = await other.transaction(async (sql) => {
          await sql.query(`SELECT FROM ${table} WHERE event = $1 FOR UPDATE`, [id(2)])
          let recorded: Promise<unknown> = Promise.resolve()
          const purging = between(() => {
            recorded = recordAnswers(sql, answers)
          })
          const purged = await purgeEvents(purging, { which: { before }, pendingToo: 'all' })
          expect(purged).toEqual({ purged: 1, kept: 1 })
          return recorded
        })
        expect(answered).toEqual([undefined, expect.objectContaining({ released: [SUBSCRIPTION] })])
        expect(await left()).toEqual([2])
      },
    )

    /** `then` is done when the purge holds all that it will, and before it removes anything. */
    function between(then: () => void | Promise<void>): Pick<Database, 'transaction'> {
      let statements = 0
      return {
        transaction: (work) =>
          database.transaction((sql) =>
            work({
              async query(...asked) {
                const rows = await sql.query(...asked)
                statements += 1
                if (statements === 2) await then()
                return rows as never
              },
            }),
          ),
      }
    }
  }
})
