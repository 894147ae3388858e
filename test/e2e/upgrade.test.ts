/**
 * A site that comes from the Python service: its database as peewee made it, the built service and the built command,
 * on PostgreSQL.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '@pacifica/platform'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createTestDatabase,
  freePort,
  IDS,
  PYTHON_DATABASES,
  pythonEvents,
  pythonSubscriptions,
  runCommand,
  type ServiceProcess,
  silentLog,
  startService,
} from '../harness/index.ts'
import { startTarget, type TargetServer } from './target.ts'

const SERVICE = 'apps/notifications/dist/main.js'
const CMD = 'apps/notifications/dist/cli/main.js'
/** Those that are neither deleted, nor disabled, nor refused. */
const LIVING = [IDS.plain, IDS.nullAuth, IDS.basic, IDS.userinfo, IDS.backslash]

let folder: string
let database: Database
let drop: () => Promise<void>
let target: TargetServer
let env: Record<string, string>
let url: string
const running: ServiceProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pacifica-upgrade-'))
  const server = await createTestDatabase()
  drop = server.drop
  database = await openDatabase({ log: silentLog }, { url: server.url, folder: 'unused' })
  target = await startTarget()
  const port = await freePort()
  url = `http://127.0.0.1:${port}`
  env = {
    PEEWEE_URL: server.url.replace('postgresql:', 'postgres:'),
    DATA_DIR: folder,
    HOME: folder,
    NOTIFICATIONS_PORT: String(port),
    POLICY_URL: 'allow-all',
    TARGET_ALLOW: '127.0.0.0/8',
  }
}, 180_000)
afterEach(async () => {
  for (const service of running.splice(0)) await service.kill('SIGTERM')
  await database.close()
  await drop()
  await target.close()
  await rm(folder, { recursive: true, force: true })
})

function start(): ServiceProcess {
  const service = startService(SERVICE, env)
  running.push(service)
  return service
}

async function postEvent(number: number): Promise<string> {
  const event = {
    cloudEventsVersion: '0.1',
    eventType: 'org.pacifica.metadata.ingest',
    source: '/pacifica/metadata/ingest',
    eventID: `metadata.ingest.${number}`,
    eventTime: '2026-01-09T09:17:26',
    extensions: {},
    contentType: 'application/json',
    data: [{ destinationTable: 'Transactions._id', value: number }],
  }
  const answer = await fetch(`${url}/receive`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(event),
  })
  expect(answer.status).toBe(200)
  return answer.text()
}

/** To whom, once nothing of it is under way. */
async function delivered(event: string): Promise<string[]> {
  for (;;) {
    const rows = await database.query<{ subscription: string; state: string; matched: boolean }>(
      `SELECT d.subscription, d.state, s.state = 'matched' AS matched
       FROM event_state s LEFT JOIN delivery d USING (event) WHERE event = $1 ORDER BY d.subscription`,
      [event],
    )
    const waits = rows.some(
      ({ matched, state }) => !matched || /pending|deliv.*ing|retry/.test(state),
    )
    if (!waits)
      return rows
        .filter(({ state }) => state === 'delivered')
        .map(({ subscription }) => subscription)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

test.each(['2.0', '3.0'])(
  'from %s: a start is refused, dbsync upgrades, then every living subscription gets new events and none an old one',
  async (version) => {
    await database.script(PYTHON_DATABASES[version] ?? '')
    await database.script(pythonSubscriptions(target.url, { auth: true }))
    await database.script(pythonEvents({ matches: version === '3.0' }))

    const refused = start()
    expect(await refused.ended()).toBe(1)
    expect(refused.output()).toContain('process.stopped')
    expect(refused.output()).toContain(
      'The database holds the tables of the Python service: stop that service, then run pacifica-notifications-cmd dbsync\n',
    )
    expect(await runCommand(CMD, ['dbchk'], env)).toMatchObject({ code: 255 })
    const synced = await runCommand(CMD, ['dbsync', '--timezone', 'America/Los_Angeles'], env)
    expect(synced).toMatchObject({ code: 0, errors: '' })
    expect(synced.out).toContain('Times are read as America/Los_Angeles.')
    expect(await runCommand(CMD, ['dbchk', '--equal'], env)).toMatchObject({ code: 0 })

    await start().ready([url])
    const event = await postEvent(4711)
    expect(await delivered(event)).toEqual(LIVING)
    expect(new Set(target.received.map(({ eventId }) => eventId))).toEqual(
      new Set(['metadata.ingest.4711']),
    )
    const authorizations = target.received.map(({ authorization }) => authorization)
    expect(authorizations.sort()).toEqual(
      [basic('me:hunter2'), basic('you:p@ss'), 'none', 'none', 'none'].sort(),
    )
    const got = await runCommand(CMD, ['eventget'], env)
    expect(got.out).toMatch(
      new RegExp(`^Event - ${event}\n.*metadata.ingest.4711.*\n(    ELM .*\n){5,}$`),
    )
  },
  180_000,
)

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`
}
