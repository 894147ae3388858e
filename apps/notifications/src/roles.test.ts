/** What a process of each set of roles serves, and what it must have to be ready. */

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createInProcessTransport,
  createLifetime,
  createLog,
  type LifetimeControl,
} from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase } from '../../../test/harness/index.ts'
import { type Notifications, startNotifications } from './compose.ts'
import { readNotificationsConfig } from './config.ts'

const log = createLog({ name: 'test', level: 'silent' })

let folder: string
let server: Awaited<ReturnType<typeof createTestDatabase>>
let life: LifetimeControl

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'roles-'))
  server = await createTestDatabase()
  life = createLifetime({ log }, { graceMs: 10_000 })
}, 300_000)
afterEach(async () => {
  await life.stop('the test is over')
  await server.drop()
  await rm(folder, { recursive: true, force: true })
})

function start(roles: string): Promise<Notifications> {
  const env = {
    ...{ ROLES: roles, POLICY_URL: 'allow-all', DEFAULT_USER: 'ann' },
    ...{ DATA_DIR: folder, DATABASE_URL: server.url, NOTIFICATIONS_PORT: '0' },
  }
  const transport = createInProcessTransport({ log })
  life.onClose('transport', () => transport.close())
  return startNotifications(life, { log, transport }, readNotificationsConfig({ env }))
}

const ALWAYS = ['database', 'migrations']

test.each([
  ['api', ['spool']],
  ['match', ['match loop', 'policy', 'authorize loop', 'backtest loop']],
  ['deliver', ['transport', 'deliver loop', 'recover loop']],
  ['intake', []],
  ['api,match', ['spool', 'match loop', 'policy', 'authorize loop']],
  ['match,deliver', ['match loop', 'policy', 'authorize loop', 'transport', 'deliver loop']],
] as const)(
  'with the roles %s it is ready when what these need is',
  async (roles, needs) => {
    const { operations, url } = await start(roles)
    const isApi = roles.includes('api')
    const ask = async (path: string) => {
      const answer = await fetch(`${operations}${path}`)
      return { status: answer.status, text: await answer.text() }
    }
    await expect.poll(async () => (await ask('/readyz')).status, { timeout: 200_000 }).toBe(200)
    const { checks } = JSON.parse((await ask('/readyz')).text)
    expect(Object.keys(checks)).toEqual(expect.arrayContaining([...ALWAYS, ...needs]))
    for (const [role, mark] of [
      ['api', 'spool'],
      ['match', 'match loop'],
      ['deliver', 'deliver loop'],
    ] as const)
      expect(mark in checks).toBe(roles.split(',').includes(role))
    expect((await ask('/healthz')).status).toBe(200)
    expect((await ask('/metrics')).text).toContain('pacifica_check_ok{check="database"} 1')
    expect((await ask('/eventmatch')).status).toBe(isApi ? 200 : 404)
    expect(url).toBe(isApi ? operations : undefined)
  },
  300_000,
)

test('a port that is taken ends the start of a worker too, with the variable that sets it', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const env = {
    ...{ ROLES: 'deliver', POLICY_URL: 'allow-all', NOTIFICATIONS_PORT: String(port) },
    ...{ DATA_DIR: folder, DATABASE_URL: server.url },
  }
  const transport = createInProcessTransport({ log })
  life.onClose('transport', () => transport.close())
  const starting = startNotifications(life, { log, transport }, readNotificationsConfig({ env }))
  await expect(starting).rejects.toThrow(`port ${port} is in use: set NOTIFICATIONS_PORT`)
  await new Promise((resolve) => taken.close(resolve))
})
