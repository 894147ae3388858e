/** Dead letters as rows, on both engines: taken once, found, decided about once, purged. */
import { randomBytes, randomUUID } from 'node:crypto'
import {
  createMetrics,
  type Database,
  type DeadMessage,
  type Metrics,
  openDatabase,
  type PublishOutcome,
} from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  createTestDatabase,
  ENGINES,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from '../../../../test/harness/index.ts'
import type { Availability } from '../database/availability.ts'
import { moveTables } from '../database/move.ts'
import { type IntakeMetrics, intakeMetrics } from '../intake/metrics.ts'
import { retentionStep } from '../purge/retention.ts'
import { putAwayLetter, resendLetter } from './decide.ts'
import { deadLetterGauge } from './metrics.ts'
import { type LetterFilter, listLetters, openLetter } from './store.ts'
import { takeDead } from './take.ts'

const options = { maxBody: 1_000 }
const limit = 100
const RECEIVE = 'pacifica.receive'

function aMessage(more: Partial<DeadMessage> = {}): DeadMessage {
  return {
    body: Buffer.from('{}'),
    properties: { contentType: 'application/json', messageId: 'm' },
    headers: {},
    ...{ exchange: '', routingKey: RECEIVE },
    death: {
      queue: RECEIVE,
      reason: 'rejected',
      count: 1,
      first: new Date(0),
      last: new Date(1e12),
    },
    key: randomBytes(32).toString('hex'),
    ...more,
  }
}

let server: Awaited<ReturnType<typeof createTestDatabase>> | undefined
afterAll(() => server?.drop())

async function openTarget(): Promise<Database> {
  server = await createTestDatabase()
  return openDatabase({ log: silentLog }, { url: server.url, folder: 'unused' })
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let database: Database
  let metrics: Metrics
  let counts: IntakeMetrics
  let availability: Availability
  let sent: { queue: string; letter: string; body: string }[]
  let outcome: PublishOutcome

  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
    database = home.database
  }, 300_000)
  afterAll(() => home?.close())
  beforeEach(async () => {
    await database.query('DELETE FROM dead_letter')
    metrics = createMetrics()
    counts = intakeMetrics(metrics)
    availability = { away: false, lost() {}, suspect() {}, working() {}, onBack() {} }
    sent = []
    outcome = { kind: 'accepted' }
  })

  const take = (message: DeadMessage) =>
    takeDead({ sql: database, availability, metrics: counts, log: silentLog }, options)(message)
  const list = (filter: Partial<LetterFilter> = {}) => listLetters(database, { limit, ...filter })
  const taken = async (more: Partial<DeadMessage> = {}) => {
    const message = aMessage(more)
    await take(message)
    const rows = await database.query<{ uuid: string }>(
      'SELECT uuid FROM dead_letter WHERE key = $1',
      [message.key],
    )
    return rows[0]?.uuid ?? ''
  }
  const resend = (uuid: string, by = 'ann') => {
    const intake = {
      async resend(queue: string, message: { body: Uint8Array }, { letter }: { letter: string }) {
        sent.push({ queue, letter, body: Buffer.from(message.body).toString('latin1') })
        return outcome
      },
    }
    return resendLetter({ sql: database, intake, log: silentLog }, uuid, by)
  }
  const putAway = (uuid: string) => putAwayLetter({ sql: database, log: silentLog }, uuid, 'ann')
  const waiting = async () => {
    deadLetterGauge({ metrics, sql: database })
    return /^pacifica_dead_letters_waiting (\d+)$/m.exec(await metrics.text())?.[1]
  }

  test('a message is taken whole, with the reason, and once however often it is offered', async () => {
    const headers = {
      n: 1,
      at: { '!': 'timestamp', value: 7 },
      bytes: Buffer.from([0, 255]),
      nul: '\0',
    }
    const message = aMessage({ headers, body: Buffer.from([0, 255, 10]) })
    await take(message)
    await take(message)
    const letters = await list()
    expect(letters).toMatchObject([
      {
        ...{ queue: RECEIVE, reason: 'rejected', deaths: 1, exchange: '', routingKey: RECEIVE },
        why: 'it holds no event: the event is not valid UTF-8',
        ...{ firstDeath: new Date(0), lastDeath: new Date(1e12) },
        ...{ properties: message.properties, bytes: 3, state: 'dead', error: null, settled: null },
      },
    ])
    const opened = await openLetter(database, letters[0]?.uuid ?? '', 2)
    expect(opened?.headers).toEqual(headers)
    expect([...(opened?.body ?? [])]).toEqual([0, 255])
    expect(await metrics.text()).toContain('pacifica_dead_letters_total{reason="rejected"} 1\n')
  })

  test('the strangest of messages is kept', async () => {
    const strange = '\0\ud800'.repeat(3_000)
    const death = {
      queue: strange.slice(0, 100),
      reason: strange,
      count: 1e15,
      first: undefined,
      last: undefined,
    }
    await take(aMessage({ death, exchange: strange, routingKey: strange, headers: { strange } }))
    await take(aMessage({ death: undefined, body: Buffer.alloc(0), properties: {} }))
    const letters = await list()
    expect(letters.find(({ queue }) => queue === null)).toMatchObject({ reason: null, bytes: 0 })
    const kept = letters.find(({ queue }) => queue !== null)
    expect(kept).toMatchObject({ deaths: 2_147_483_647, queue: expect.stringMatching(/^.{100}$/s) })
  })

  test('while the database is away nothing is taken, so that it comes again', async () => {
    availability = { ...availability, away: true }
    await expect(take(aMessage())).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' })
  })

  test('letters are listed newest first, page by page, and found by queue, state and time', async () => {
    for (const queue of ['a', 'b', 'a', 'b', 'a'])
      await take(
        aMessage({
          death: { queue, reason: 'expired', count: 1, first: undefined, last: undefined },
        }),
      )
    await database.query(`UPDATE dead_letter SET created = '2026-01-01T00:00:00.000001Z'`)
    const all = await list()
    const first = await list({ limit: 2 })
    expect(first).toEqual(all.slice(0, 3))
    expect(await list({ after: first[1], limit: 10 })).toEqual(all.slice(2))
    expect(await list({ queue: 'a' })).toHaveLength(3)
    expect(await list({ since: new Date('2026-01-01T00:00:01Z') })).toEqual([])
    expect(await list({ until: new Date('2026-01-01T00:00:00Z') })).toEqual([])
    expect(await list({ since: new Date('2026-01-01'), until: new Date('2026-01-02') })).toEqual(
      all,
    )
    await putAway(all[0]?.uuid ?? '')
    expect(await list({ state: 'dismissed', queue: all[0]?.queue ?? '' })).toHaveLength(1)
    expect(await list({ state: 'dead' })).toHaveLength(4)
    expect(await waiting()).toBe('4')
  })

  test('a letter goes back to its queue whole, once, and says who sent it', async () => {
    const body = Buffer.from([...Array(256).keys()])
    const uuid = await taken({ body, death: aMessage().death })
    const asked = await Promise.allSettled(['ann', 'bob', 'carl'].map((by) => resend(uuid, by)))
    expect(sent).toEqual([{ queue: RECEIVE, letter: uuid, body: body.toString('latin1') }])
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const { code } of asked.flatMap((each) =>
      each.status === 'rejected' ? [each.reason] : [],
    ))
      expect(['DEAD_LETTER_BUSY', 'DEAD_LETTER_SETTLED']).toContain(code)
    const [letter] = await list()
    expect(letter).toMatchObject({ state: 'resent', settled: expect.any(Date) })
    expect(['ann', 'bob', 'carl']).toContain(letter?.settledBy)
    await expect(resend(uuid)).rejects.toThrow(/was sent again at .* by (ann|bob|carl)/)
    await expect(putAway(uuid)).rejects.toMatchObject({ code: 'DEAD_LETTER_SETTLED' })
    expect(await waiting()).toBe('0')
  })

  test.each([
    ['unroutable', 'DEAD_LETTER_UNROUTABLE'],
    ['refused', 'DEAD_LETTER_NOT_SENT'],
    ['unknown', 'DEAD_LETTER_NOT_SENT'],
    ['away', 'DEAD_LETTER_NOT_SENT'],
  ] as const)(
    'sent in vain (%s) it stays, with the reason, and can be sent later',
    async (kind, code) => {
      const uuid = await taken()
      outcome = { kind, reason: 'no queue here' }
      await expect(resend(uuid)).rejects.toMatchObject({ code })
      expect(await list()).toMatchObject([{ state: 'dead', error: 'no queue here', settled: null }])
      outcome = { kind: 'accepted' }
      await resend(uuid)
      expect(await list()).toMatchObject([{ state: 'resent', error: null }])
    },
  )

  test('what died with its sender half way is sent by the next one who asks, when the lease is over', async () => {
    const uuid = await taken()
    const lease = (until: string) =>
      database.query(`UPDATE dead_letter SET claim = 7, sending_until = now() + $1::interval`, [
        until,
      ])
    await lease('1 hour')
    await expect(resend(uuid)).rejects.toMatchObject({ code: 'DEAD_LETTER_BUSY' })
    await expect(putAway(uuid)).rejects.toMatchObject({ code: 'DEAD_LETTER_BUSY' })
    await lease('-1 second')
    await resend(uuid)
    expect(sent).toHaveLength(1)
  })

  test('a letter is put away, once or twice, and can still be sent', async () => {
    const uuid = await taken()
    await putAway(uuid)
    await putAway(uuid)
    expect(await list()).toMatchObject([{ state: 'dismissed', settledBy: 'ann' }])
    await resend(uuid)
    expect(await list()).toMatchObject([{ state: 'resent' }])
  })

  test('what cannot be sent says so: unknown, from nowhere, or no broker', async () => {
    const unknown = randomUUID()
    await expect(resend(unknown)).rejects.toMatchObject({ code: 'DEAD_LETTER_NOT_FOUND' })
    await expect(putAway(unknown)).rejects.toMatchObject({ code: 'DEAD_LETTER_NOT_FOUND' })
    const uuid = await taken({ death: undefined })
    await expect(resend(uuid)).rejects.toMatchObject({ code: 'DEAD_LETTER_NO_ORIGIN' })
    const needs = { sql: database, intake: undefined, log: silentLog }
    await expect(resendLetter(needs, uuid, 'ann')).rejects.toMatchObject({ code: 'NO_BROKER' })
    expect(sent).toEqual([])
  })

  if (engine === 'embedded')
    test('a letter goes with the other rows when an embedded database moves to a server', async () => {
      const body = Buffer.from([...Array(256).keys()])
      const uuid = await taken({ body, headers: { bytes: Buffer.from([0, 255]) } })
      const target = await openTarget()
      await moveTables(database, target)
      expect(await openLetter(target, uuid, 1_000)).toEqual(await openLetter(database, uuid, 1_000))
      await target.close()
    })

  test('RETENTION purges old letters, whatever became of them', async () => {
    await taken()
    await putAway(await taken())
    await database.query(`UPDATE dead_letter SET created = now() - interval '2 hours'`)
    const kept = await taken()
    const { signal } = new AbortController()
    await retentionStep({ database, log: silentLog, signal }, { retentionMs: 3_600_000 })()
    expect((await list()).map(({ uuid }) => uuid)).toEqual([kept])
  })
})
