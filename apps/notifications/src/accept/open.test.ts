/** What accepting leaves in memory, by the roles of the process, and what it gives to who matches there. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Event } from '@pacifica/core'
import { createHealth, createLifetime, createMetrics } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  silentLog as log,
  type MigratedDatabase,
  openMigrated,
} from '../../../../test/harness/index.ts'
import { pipelineBells } from '../bells.ts'
import { readNotificationsConfig } from '../config.ts'
import type { ClaimedEvent } from '../match/match-store.ts'
import { openAccepting, waitBeside } from './open.ts'

let home: MigratedDatabase
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'accepting-'))
  home = await openMigrated('postgresql', 'notifications')
}, 300_000)
afterAll(async () => {
  await home?.close()
  await rm(folder, { recursive: true, force: true })
})

test.each([
  ['api', false],
  ['api,intake', false],
  ['api,match', true],
  ['api,deliver', true],
])('with the roles %s an event that was stored is kept in memory: %s', async (ROLES, kept) => {
  const { database } = home
  const life = createLifetime({ log }, { graceMs: 10_000 })
  const env = { ROLES, POLICY_URL: 'allow-all', DATA_DIR: folder }
  const keeping: string[] = []
  const { receiver } = openAccepting(
    {
      ...{ life, log, database, health: createHealth(), metrics: createMetrics() },
      bells: pipelineBells(database),
      availability: { away: false, lost() {}, suspect() {}, working() {}, onBack() {} },
      events: { add: (uuid) => void keeping.push(uuid) },
    },
    readNotificationsConfig({ env }),
  )
  try {
    const text = `{"specversion":"1.0","type":"t","source":"/s","id":"with the roles ${ROLES}"}`
    const { outcome, uuid } = await receiver.receive(Event.parse(text))
    expect(outcome).toBe('stored')
    expect(keeping).toEqual(kept ? [uuid] : [])
  } finally {
    await life.stop('the test is over')
  }
})

test('who matches in this process is given each new event as stored for it, once; what it has no room for is for all', async () => {
  const { database } = home
  const life = createLifetime({ log }, { graceMs: 10_000 })
  const env = { POLICY_URL: 'allow-all', DATA_DIR: folder }
  let rings = 0
  const bells = pipelineBells(database)
  const ring = () => {
    rings += 1
  }
  const given: ClaimedEvent[] = []
  const matcher = {
    takes: true,
    inHand: 0,
    takesSoon: async () => matcher.takes,
    async take(events: readonly ClaimedEvent[]) {
      given.push(...events)
      throw new Error('the subscriptions cannot be read')
    },
  }
  const { receiver } = openAccepting(
    {
      ...{ life, log, database, health: createHealth(), metrics: createMetrics(), matcher },
      bells: { ...bells, match: { ...bells.match, ring } },
      availability: { away: false, lost() {}, suspect() {}, working() {}, onBack() {} },
      events: { add() {} },
    },
    readNotificationsConfig({ env }),
  )
  const receive = (id: string) =>
    receiver.receive(Event.parse(`{"specversion":"1.0","type":"t","source":"/given","id":"${id}"}`))
  try {
    const first = await receive('1')
    expect((await receive('1')).outcome).toBe('repeated')
    expect(given).toMatchObject([{ uuid: first.uuid, claim: 1, begun: 1, trace: first.trace }])
    expect(rings).toBe(0)
    matcher.takes = false
    const second = await receive('2')
    expect([given.length, rings]).toEqual([1, 1])
    const rows = await database.query(
      `SELECT uuid, claim, jsondata, digest FROM eventlog JOIN event_state ON event = uuid
       WHERE source = '/given' ORDER BY sequence`,
    )
    const { jsondata, digest } = given[0] as ClaimedEvent
    expect(rows).toMatchObject([
      { uuid: first.uuid, claim: 1, jsondata, digest },
      { uuid: second.uuid, claim: 0 },
    ])
  } finally {
    await life.stop('the test is over')
  }
})

test('with many events in hand the next ones wait longer for company', () => {
  expect([0, 127, 128, 250].map(waitBeside)).toEqual([1, 1, 3, 3])
})
