/** A backtest whose process is really killed is taken up by another one, where it was. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '@pacifica/platform'
import { expect, test } from 'vitest'
import { createTestDatabase, freePort, silentLog as log, startService } from '../harness/index.ts'
import { startPolicy } from '../pacifica/policy.ts'

const EVENTS = 8
const anEvent = (number: number) => ({
  ...{ cloudEventsVersion: '0.1', eventType: 'org.pacifica.metadata.ingest', source: '/s' },
  ...{ eventID: `e${number}`, data: [{ destinationTable: 'Transactions._id', value: number }] },
})

test('a backtest survives the death of its worker, and counts each event once', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pacifica-backtest-'))
  const server = await createTestDatabase()
  const policy = await startPolicy()
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const env = {
    ...{ DATA_DIR: folder, NOTIFICATIONS_PORT: String(port), POLICY_URL: policy.url },
    ...{ DATABASE_URL: server.url, POLICY_TIMEOUT: '10min', LOG_LEVEL: 'warn' },
  }
  const start = async () => {
    const service = startService('apps/notifications/dist/main.js', env)
    await service.ready([base])
    return service
  }
  const call = async (method: string, path: string, body?: object) => {
    const headers = { 'http-remote-user': 'ann', 'content-type': 'application/json' }
    const sent = body === undefined ? {} : { body: JSON.stringify(body) }
    return fetch(`${base}${path}`, { method, headers, ...sent })
  }
  let service = await start()
  try {
    for (let number = 0; number < EVENTS; number += 1)
      expect((await call('POST', '/receive', anEvent(number))).status).toBe(200)
    policy.behave('silence')
    const draft = { jsonpath: '$.data[*][?(@.value > 2)]', since: '2020-01-01T00:00:00Z' }
    const made = await call('POST', '/eventmatch/backtest', draft)
    const path = made.headers.get('location') ?? ''
    await expect.poll(() => policy.asked.length, { timeout: 120_000 }).toBeGreaterThan(0)
    expect(await (await call('GET', path)).json()).toMatchObject({ state: 'running', matched: 0 })
    await service.kill('SIGKILL')
    policy.behave('yes')
    await leaseRunsOut(server.url)
    service = await start()
    const shown = async () => (await (await call('GET', path)).json()) as object
    await expect.poll(shown, { timeout: 120_000 }).toMatchObject({
      ...{ state: 'done', complete: true, matched: EVENTS - 3 },
      ...{ progress: { looked_at: EVENTS, total: EVENTS }, policy: { allowed: EVENTS } },
    })
  } finally {
    await service.kill('SIGKILL')
    await policy.close()
    await server.drop()
    await rm(folder, { recursive: true, force: true })
  }
}, 300_000)

/** Without waiting for it. */
async function leaseRunsOut(url: string): Promise<void> {
  const database = await openDatabase({ log }, { url, folder: '' })
  try {
    const held = await database.query(
      `UPDATE backtest_job SET due = now() WHERE state = 'running' AND due > now() RETURNING uuid`,
    )
    expect(held).toHaveLength(1)
  } finally {
    await database.close()
  }
}
