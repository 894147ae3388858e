/** Which process takes what from the broker, and what becomes of it while the broker or the database is away. */
import { randomUUID } from 'node:crypto'
import { openDatabase } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  eventually,
  freePort,
  isReady,
  silentLog as log,
  openSiteWithBroker,
  type Site,
} from '../../../../test/harness/index.ts'

vi.setConfig({ testTimeout: 180_000 })

const RECEIVE = 'pacifica.receive'

let site: Site
beforeAll(async () => {
  site = await openSiteWithBroker('postgresql')
}, 300_000)
afterAll(() => site?.close())

const anEvent = (id: string = randomUUID()) =>
  `{"specversion":"1.0","type":"t","source":"/s","id":"${id}"}`

test('a process without the role takes nothing and declares nothing, and shows dead letters all the same', async () => {
  const { url, stop } = await site.start({ ROLES: 'api,deliver' })
  await eventually(() => isReady(url))
  const dead = await fetch(`${url}/dead`, { headers: { 'http-remote-user': 'root' } })
  expect(await dead.json()).toEqual([])
  for (const queue of [RECEIVE, 'pacifica.dead']) {
    const channel = await site.openChannel()
    await expect(channel.checkQueue(queue)).rejects.toThrow(/no queue/)
  }
  await stop()
})

test('with the role and no broker there, events are taken by HTTP, and the process is not ready', async () => {
  const nobody = `amqp://127.0.0.1:${await freePort()}`
  const { url, stop } = await site.start({ ROLES: 'api,intake', BROKER_URL: nobody })
  const received = await fetch(`${url}/receive`, {
    ...{ method: 'POST', body: anEvent() },
    headers: { 'content-type': 'application/json' },
  })
  expect(received.status).toBe(200)
  const ready = await fetch(`${url}/readyz`)
  expect(ready.status).toBe(503)
  const checks = JSON.stringify(await ready.json())
  for (const queue of [RECEIVE, 'pacifica.dead']) expect(checks).toContain(`intake from ${queue}`)
  await stop()
})

test('while the database is away, events are kept on disk; dead letters stay with the broker', async () => {
  const database = await openDatabase({ log }, { url: site.env['DATABASE_URL'], folder: 'unused' })
  site.onClose(() => database.close())
  const { url, stop } = await site.start({ ROLES: 'api,intake' })
  await eventually(() => isReady(url))
  await database.script(
    'ALTER TABLE eventlog RENAME TO eventlog_away; ALTER TABLE dead_letter RENAME TO dead_letter_away',
  )
  const channel = await site.openChannel()
  const ids = [randomUUID(), randomUUID()]
  for (const body of ['no event', ...ids.map(anEvent)])
    channel.sendToQueue(RECEIVE, Buffer.from(body), { persistent: true })
  await channel.waitForConfirms()
  await eventually(async () => {
    const text = await (await fetch(`${url}/metrics`)).text()
    return /^pacifica_events_spooled_total 2$/m.test(text) ? true : undefined
  })
  await stop()
  expect((await channel.checkQueue(RECEIVE)).messageCount).toBe(0)
  await database.script(
    'ALTER TABLE eventlog_away RENAME TO eventlog; ALTER TABLE dead_letter_away RENAME TO dead_letter',
  )
  await site.start({ ROLES: 'api,intake' })
  await eventually(async () => {
    const stored = await database.query('SELECT FROM eventlog WHERE event_id = ANY($1)', [ids])
    const letters = await database.query('SELECT FROM dead_letter')
    return stored.length === 2 && letters.length === 1 ? true : undefined
  })
})
