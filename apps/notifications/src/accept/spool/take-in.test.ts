/** From the spool to the database, on both engines. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Event } from '@pacifica/core'
import { createBell, createLog, createMetrics, type Metrics } from '@pacifica/platform'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES, type MigratedDatabase, openMigrated } from '../../../../../test/harness/index.ts'
import { findEvent } from '../../history/find-event.ts'
import { type EventStore, eventStore } from '../event-store.ts'
import { acceptMetrics } from '../metrics.ts'
import type { Arrival } from './record.ts'
import { openSpool, type Spool } from './spool.ts'
import { takeInStep } from './take-in.ts'

const MiB = 1024 * 1024
const LIMITS = { maxFiles: 100, maxBytes: MiB }

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let folder: string
  let spool: Spool
  let metrics: Metrics
  let lines: { msg: string; [member: string]: unknown }[]
  let away: boolean

  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
  }, 300_000)
  afterAll(() => home?.close())
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pacifica-take-in-'))
    spool = reopen()
    metrics = createMetrics()
    lines = []
    away = false
  })
  afterEach(async () => {
    await spool.close()
    await rm(folder, { recursive: true, force: true })
  })

  const log = createLog({
    name: 'test',
    level: 'info',
    destination: { write: (line: string) => lines.push(JSON.parse(line)) },
  })
  const reopen = () =>
    openSpool(
      { log },
      { folder, maxBytes: 100 * MiB, group: { waitMs: 1, maxEvents: 3, maxBytes: MiB } },
    )
  const takeAll = async (store: EventStore = eventStore({ sql: home.database })) => {
    const availability = {
      get away() {
        return away
      },
      lost() {
        away = true
      },
      ...{ suspect() {}, working() {}, onBack() {} },
    }
    const step = takeInStep(
      { spool, store, availability, matchBell: createBell(), metrics: acceptMetrics(metrics), log },
      LIMITS,
    )
    while (await step());
  }
  const add = async (...arrivals: Arrival[]) => {
    await Promise.all(arrivals.map((arrival) => spool.add(arrival)))
    return arrivals
  }
  const storedOf = async (arrivals: readonly Arrival[]) =>
    home.database.query<{ uuid: string; jsondata: string }>(
      'SELECT uuid, jsondata FROM eventlog WHERE uuid = ANY($1::uuid[]) ORDER BY sequence',
      [arrivals.map(({ uuid }) => uuid)],
    )
  const told = (msg: string) => lines.filter((line) => line.msg === msg)

  test('every event is stored under the id it was answered with, in order, and its file goes', async () => {
    const arrivals = await add(...Array.from({ length: 20 }, () => anArrival()))
    await takeAll()
    expect(await storedOf(arrivals)).toEqual(
      arrivals.map(({ uuid, event }) => ({ uuid, jsondata: event.text })),
    )
    expect(spool.waiting).toEqual({ files: 0, bytes: 0, setAside: 0 })
    expect(await readdir(join(folder, '0'))).toEqual(['lock'])
  })

  test('an event that had been stored stays once; the spooled id leads to it', async () => {
    const event = anEvent()
    const [first] = await eventStore({ sql: home.database }).insert([event])
    const [spooled] = await add({ ...anArrival(), event })
    await takeAll()
    const viewer = { user: 'a', admin: true }
    const found = await findEvent(home.database, spooled?.uuid ?? '', viewer)
    expect(found?.uuid).toBe(first?.uuid)
    expect(await findEvent(home.database, randomUUID(), viewer)).toBeUndefined()
    expect(told('event.taken_in')).toMatchObject([{ event: first?.uuid, spooledAs: spooled?.uuid }])
    await home.database.query('DELETE FROM eventlog WHERE uuid = $1', [first?.uuid])
  })

  test('a crash between commit and removal takes the same files in again, and changes nothing', async () => {
    const arrivals = await add(anArrival(), anArrival())
    await eventStore({ sql: home.database }).insert(
      arrivals.map(({ event }) => event),
      arrivals.map(({ uuid }) => uuid),
    )
    await takeAll()
    expect(await storedOf(arrivals)).toHaveLength(2)
    const aliases = 'SELECT * FROM eventlog_alias WHERE uuid = ANY($1::uuid[])'
    expect(await home.database.query(aliases, [arrivals.map(({ uuid }) => uuid)])).toEqual([])
  })

  test('while the database is away nothing is lost or set aside; afterwards all of it is taken in', async () => {
    const arrivals = await add(anArrival(), anArrival(), anArrival(), anArrival())
    const gone: EventStore = {
      insert: () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' })),
      alias: () => Promise.resolve(),
    }
    await expect(takeAll(gone)).rejects.toThrow('gone')
    expect(away).toBe(true)
    expect(await storedOf(arrivals)).toEqual([])
    away = false
    metrics = createMetrics()
    await takeAll()
    expect(await storedOf(arrivals)).toHaveLength(4)
  })

  test('a missing table is no fault of the events, which stay in the spool', async () => {
    await add(anArrival())
    const store: EventStore = {
      insert: () => home.database.query('SELECT * FROM no_such_table').then(() => []),
      alias: () => Promise.resolve(),
    }
    await expect(takeAll(store)).rejects.toThrow('no_such_table')
    expect(spool.waiting).toMatchObject({ files: 1, setAside: 0 })
  })

  test('what cannot be stored is set aside with the reason, and holds up no other', async () => {
    const [good, bad, after] = await add(anArrival(), anArrival('bad'), anArrival())
    const { insert, alias } = eventStore({ sql: home.database })
    const refusing: EventStore = {
      alias,
      insert(events, uuids) {
        if (events.some(({ type }) => type === 'bad'))
          return home.database.query('SELECT 1/0').then(() => [])
        return insert(events, uuids)
      },
    }
    await takeAll(refusing)
    expect(await storedOf([good, bad, after] as Arrival[])).toHaveLength(2)
    expect(spool.waiting).toMatchObject({ files: 0, setAside: 1 })
    expect(told('spool.set_aside')).toMatchObject([
      { reason: expect.stringContaining(`event ${bad?.uuid} cannot be stored: division by zero`) },
    ])
    expect(await metrics.text()).toContain('pacifica_spool_set_aside_total 1')

    const aside = join(folder, '0', 'set-aside')
    const [name] = (await readdir(aside)).filter((each) => each.endsWith('.events'))
    await spool.close()
    await rename(join(aside, name ?? ''), join(folder, '0', name ?? ''))
    spool = reopen()
    metrics = createMetrics()
    await takeAll()
    expect(await storedOf([bad as Arrival]), 'put back by hand, it is taken in').toHaveLength(1)
  })

  test('a file that cannot be parsed is set aside, and holds up no other', async () => {
    await spool.close()
    await writeFile(join(folder, '0', '000000000000001-00000000.events'), 'nonsense')
    spool = reopen()
    const arrivals = await add(anArrival())
    await takeAll()
    expect(await storedOf(arrivals)).toHaveLength(1)
    expect(spool.waiting).toMatchObject({ files: 0, setAside: 1 })
  })

  test('a collision is flagged when it is taken in', async () => {
    const event = anEvent()
    const [first] = await eventStore({ sql: home.database }).insert([event])
    const other = Event.parse(`${event.text} `)
    const [spooled] = await add({ ...anArrival(), event: other })
    await takeAll()
    expect(told('event.collision')).toMatchObject([{ event: spooled?.uuid, first: first?.uuid }])
  })
})

function anEvent(type = 't'): Event {
  return Event.parse(
    `{"cloudEventsVersion":"0.1","eventType":"${type}","source":"/s","eventID":"${randomUUID()}"}`,
  )
}

function anArrival(type = 't'): Arrival {
  return { uuid: randomUUID(), received: new Date(), event: anEvent(type) }
}
