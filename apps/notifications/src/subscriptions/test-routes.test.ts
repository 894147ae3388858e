/** POST /eventmatch/UUID/test, and a recovery, through a whole service with real loops, on both engines. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import {
  createInProcessTransport,
  createLifetime,
  type LifetimeControl,
  type Transport,
} from '@pacifica/platform'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, ENGINES, silentLog as log } from '../../../../test/harness/index.ts'
import { startNotifications } from '../compose.ts'
import { readNotificationsConfig } from '../config.ts'

type Handler = (request: IncomingMessage, body: string, response: ServerResponse) => void

async function serve(handler: Handler): Promise<{ server: Server; url: string }> {
  const server = createServer((request, response) => {
    text(request).then(
      (body) => handler(request, body, response),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  const closers: (() => unknown)[] = []
  let url: string
  let target: string
  let life: LifetimeControl
  let transport: Transport
  let asked: string[] = []
  let received: { id: string; body: { eventType: string; data: object } }[] = []
  let status = 200
  let start: () => Promise<void>

  beforeAll(async () => {
    const policy = await serve((_request, body, response) => {
      asked.push(body)
      response.end('ok')
    })
    const hook = await serve((request, body, response) => {
      received.push({ id: String(request.headers['webhook-id']), body: JSON.parse(body) })
      response.writeHead(status).end('heard you')
    })
    target = `${hook.url}/hook`
    const folder = await mkdtemp(join(tmpdir(), 'test-event-'))
    const database = engine === 'postgresql' ? await createTestDatabase() : undefined
    closers.push(
      () => rm(folder, { recursive: true, force: true }),
      () => database?.drop(),
      () => policy.server.close(),
      () => hook.server.close(),
    )
    const env = {
      DATA_DIR: folder,
      NOTIFICATIONS_PORT: '0',
      POLICY_URL: policy.url,
      TARGET_ALLOW: '127.0.0.0/8',
      DELIVERY_MAX_ATTEMPTS: '1',
      RECOVER_PACE: '2',
      ...(database ? { DATABASE_URL: database.url } : {}),
    }
    const config = readNotificationsConfig({ env })
    start = async () => {
      life = createLifetime({ log }, { graceMs: 20_000 })
      transport = createInProcessTransport({ log })
      url = (await startNotifications(life, { log, transport }, config)).url ?? ''
    }
    await start()
  }, 300_000)
  afterAll(async () => {
    await stop()
    for (const close of closers.reverse()) await close()
  })
  beforeEach(() => {
    received = []
    asked = []
    status = 200
  })
  const stop = async () => {
    await life?.stop('the test is over')
    await transport?.close()
  }

  const call = async (method: string, path: string, body?: object, user = 'ann') => {
    const reply = await fetch(url + path, {
      method,
      headers: { 'Http-Remote-User': user, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const said = await reply.text()
    // biome-ignore lint/suspicious/noExplicitAny: replies of every kind
    const json: any = said.startsWith('{') || said.startsWith('[') ? JSON.parse(said) : said
    return { status: reply.status, body: json }
  }
  const subscribe = async (jsonpath = '$.nothing', target_url = target): Promise<string> =>
    (await call('POST', '/eventmatch', { name: 'n', jsonpath, target_url })).body.uuid
  const until = async (holds: () => Promise<boolean>) => {
    const end = Date.now() + 40_000
    while (!(await holds())) {
      if (Date.now() > end) throw new Error('it did not happen in time')
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  test('a test event reaches the target, whatever the expression says, and nobody else', async () => {
    const uuid = await subscribe()
    await subscribe('$.eventType')
    const { status, body } = await call('POST', `/eventmatch/${uuid}/test`, { wait: 30 })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body.delivery).toMatchObject({
      subscription: uuid,
      state: 'delivered',
      test: true,
      policy: { state: 'allowed', status_code: null },
      attempts: [{ outcome: 'accepted', status_code: 200, body: 'heard you' }],
    })
    expect(received).toHaveLength(1)
    expect(received[0]).toMatchObject({
      id: body.delivery.uuid,
      body: { eventType: 'org.pacifica.notifications.test', data: { test: true } },
    })
    expect(asked, 'Policy is not asked about our own event').toEqual([])
    const event = await call('GET', `/events/${body.event}`)
    expect(event.body).toMatchObject({
      state: 'matched',
      match_count: 1,
      source: '/pacifica/notifications/test',
      deliveries: [{ state: 'delivered' }],
    })
    expect((await call('GET', `/eventmatch/${uuid}`)).body.health.last_success).not.toBeNull()
  })

  test('without wait it answers at once with the event to watch', async () => {
    const uuid = await subscribe()
    const { status, body } = await call('POST', `/eventmatch/${uuid}/test`)
    expect([200, 202]).toContain(status)
    await until(async () => {
      const event = await call('GET', `/events/${body.event}`)
      return event.body.deliveries[0].state === 'delivered'
    })
  })

  test('a test is tried once, also where retries are many, and its failure is told', async () => {
    status = 503
    const uuid = await subscribe()
    await call('PUT', `/eventmatch/${uuid}`, { retry: { max_attempts: 5, delays: [1] } })
    const { body } = await call('POST', `/eventmatch/${uuid}/test`, { wait: 30 })
    expect(body.delivery).toMatchObject({
      state: 'exhausted',
      attempts: [{ number: 1, status_code: 503 }],
    })
    expect(body.delivery.reason).toContain('503')
    expect(received).toHaveLength(1)
  })

  test('egress rules hold for tests too', async () => {
    const metadata = 'http://169.254.169.254.nip.invalid/latest'
    const uuid = await subscribe('$.nothing', metadata)
    const { body } = await call('POST', `/eventmatch/${uuid}/test`, { wait: 30 })
    expect(body.delivery).toMatchObject({ state: 'exhausted', attempts: [{ status_code: null }] })
    expect(received).toEqual([])
  })

  test('a disabled subscription is not tested: the reply says what to do', async () => {
    const uuid = await subscribe()
    await call('PUT', `/eventmatch/${uuid}`, { disabled: '2026-01-01T00:00:00Z' })
    const { status, body } = await call('POST', `/eventmatch/${uuid}/test`)
    expect([status, body.code]).toEqual([409, 'SUBSCRIPTION_DISABLED'])
    expect(body.message).toContain('enable it first')
  })

  test('somebody else’s subscription cannot be tested, and what is asked must be right', async () => {
    const uuid = await subscribe()
    expect((await call('POST', `/eventmatch/${uuid}/test`, {}, 'bob')).status).toBe(403)
    for (const body of [{ wait: -1 }, { wait: 3600 }, { wait: '5' }, { await: 5 }])
      expect((await call('POST', `/eventmatch/${uuid}/test`, body)).status).toBe(400)
    expect(received).toEqual([])
  })

  test('a recovery goes on after the service was stopped in its middle, and sends each event once', async () => {
    status = 500
    const uuid = await subscribe('$[?(@.eventType = "lost")]')
    for (let n = 0; n < 7; n += 1) {
      const event = { cloudEventsVersion: '0.1', eventType: 'lost', source: '/s', eventID: `l${n}` }
      expect((await call('POST', '/receive', { ...event, data: { n } })).status).toBe(200)
    }
    const exhausted = async () =>
      (await call('GET', `/eventmatch/${uuid}/deliveries?state=exhausted`)).body.length
    await until(async () => (await exhausted()) === 7)
    status = 200
    received = []
    const asked = { since: '2000-01-01T00:00:00Z' }
    const job = await call('POST', `/eventmatch/${uuid}/recover`, asked)
    expect(job).toMatchObject({ status: 202, body: { total: 7 } })
    const path = `/eventmatch/${uuid}/recover/${job.body.uuid}`
    await until(async () => (await call('GET', path)).body.replayed >= 1)
    await stop()
    await start()
    await until(async () => (await call('GET', path)).body.state === 'done')
    await until(async () => (await exhausted()) === 0 && received.length >= 7)
    expect((await call('GET', path)).body).toMatchObject({ replayed: 7, skipped: 0 })
    expect(new Set(received.map(({ id }) => id)).size).toBe(7)
    expect(received).toHaveLength(7)
    expect(received.every(({ id }) => id.endsWith('-1'))).toBe(true)
  })
})
