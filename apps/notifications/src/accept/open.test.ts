/** What accepting leaves in memory, by the roles of the process. */
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
import { openAccepting } from './open.ts'

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
