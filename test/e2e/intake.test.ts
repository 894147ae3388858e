/** What was published to the broker and taken, but not yet stored, is not lost with the process that took it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConfirmChannel, connect } from 'amqplib'
import pg from 'pg'
import { afterEach, expect, test } from 'vitest'
import {
  createTestDatabase,
  createTestVhost,
  freePort,
  type ServiceProcess,
  startService,
} from '../harness/index.ts'

const EVENTS = 20
const PATIENCE = 180_000
const RECEIVE = 'pacifica.receive'

const ending: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end()
})

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error('what was waited for did not come')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function open() {
  const database = await createTestDatabase()
  ending.push(database.drop)
  const vhost = await createTestVhost()
  ending.push(vhost.drop)
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-intake-'))
  ending.push(() => rm(folder, { recursive: true, force: true }))
  const connection = await connect(vhost.url)
  ending.push(() => connection.close())
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  ending.push(() => client.end())
  const port = String(await freePort())
  const url = `http://127.0.0.1:${port}`
  async function start(): Promise<ServiceProcess> {
    const service = startService('apps/notifications/dist/main.js', {
      ...{ DATA_DIR: folder, DATABASE_URL: database.url, BROKER_URL: vhost.url },
      ...{ NOTIFICATIONS_PORT: port, POLICY_URL: 'allow-all', ROLES: 'api,intake' },
    })
    ending.push(() => service.kill('SIGKILL'))
    await service.ready([url], PATIENCE)
    return service
  }
  return { url, client, channel: await connection.createConfirmChannel(), start }
}

const anEvent = (number: number) =>
  `{"specversion":"1.0","type":"t","source":"/s","id":"${number}"}`

async function publish(channel: ConfirmChannel, body: string): Promise<void> {
  channel.sendToQueue(RECEIVE, Buffer.from(body), { persistent: true })
  await channel.waitForConfirms()
}

/** Within a transaction PostgreSQL shows the activity as it was at the first look. */
async function lookAnew(client: pg.Client): Promise<void> {
  await client.query('SELECT pg_stat_clear_snapshot()')
}

/** Whether the service waits with an INSERT into this table. */
async function isHeldUp(client: pg.Client, table: string): Promise<boolean> {
  await lookAnew(client)
  const { rowCount } = await client.query(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%INSERT INTO ' || $1 || ' %'`,
    [table],
  )
  return rowCount !== 0
}

/** So that nothing of what a dead process had begun is stored after all. */
async function endOthers(client: pg.Client): Promise<void> {
  await until(async () => {
    await lookAnew(client)
    const { rowCount } = await client.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    return rowCount === 0
  })
}

async function count(client: pg.Client, table: string): Promise<number> {
  const { rows } = await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)
  return rows[0]?.n ?? 0
}

test(
  'events and a dead letter that a killed process had taken and not stored are stored by the next one, once',
  async () => {
    const { url, client, channel, start } = await open()
    const first = await start()
    await client.query('BEGIN')
    await client.query('LOCK TABLE eventlog, dead_letter IN EXCLUSIVE MODE')
    await publish(channel, 'no event')
    for (let number = 0; number < EVENTS; number += 1) await publish(channel, anEvent(number))
    await until(async () => (await isHeldUp(client, 'eventlog')) && isHeldUp(client, 'dead_letter'))
    await first.kill('SIGKILL')
    await endOthers(client)
    await client.query('ROLLBACK')
    expect([await count(client, 'eventlog'), await count(client, 'dead_letter')]).toEqual([0, 0])

    const second = await start()
    await until(async () => (await count(client, 'eventlog')) === EVENTS)
    await until(async () => (await count(client, 'dead_letter')) === 1)
    await publish(channel, anEvent(0))
    await until(async () =>
      /^pacifica_events_repeated_total [1-9]/m.test(await (await fetch(`${url}/metrics`)).text()),
    )
    expect(await second.kill('SIGTERM')).toBe(0)
    for (const queue of [RECEIVE, 'pacifica.dead'])
      await until(async () => (await channel.checkQueue(queue)).messageCount === 0)
    expect([await count(client, 'eventlog'), await count(client, 'dead_letter')]).toEqual([
      EVENTS,
      1,
    ])
  },
  2 * PATIENCE,
)
