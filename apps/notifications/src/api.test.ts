/** Every route of the API answers as its own description says: success and refusals. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInProcessTransport, createLifetime, type LifetimeControl } from '@pacifica/platform'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Described, describedApi, silentLog as log } from '../../../test/harness/index.ts'
import { startNotifications } from './compose.ts'
import { readNotificationsConfig } from './config.ts'

const event = {
  cloudEventsVersion: '0.1',
  eventType: 'test',
  source: '/s',
  eventID: 'e1',
  data: [1, 2],
}
const unknown = '00000000-0000-4000-8000-000000000000'

let folder: string
let life: LifetimeControl
let api: Described

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'api-test-'))
  life = createLifetime({ log }, { graceMs: 10_000 })
  const transport = createInProcessTransport({ log })
  life.onClose('transport', () => transport.close())
  const env = {
    DATA_DIR: folder,
    NOTIFICATIONS_PORT: '0',
    POLICY_URL: 'allow-all',
    TARGET_ALLOW: '127.0.0.0/8',
    ADMIN_USERS: 'root',
  }
  const config = readNotificationsConfig({ env })
  const { url } = await startNotifications(life, { log, transport }, config)
  api = await describedApi(url ?? '')
}, 300_000)
afterAll(async () => {
  await life?.stop('the test is over')
  await rm(folder, { recursive: true, force: true })
})

const as = (user: string) => ({ 'http-remote-user': user, 'content-type': 'application/json' })
const send = (body: unknown, user = 'ann') => ({ headers: as(user), body: JSON.stringify(body) })
const draft = { name: 'n', jsonpath: '$.data', target_url: 'dispatch://nobody' }

async function subscribe(more: object = {}): Promise<{ uuid: string }> {
  const answer = await api.ask('POST /eventmatch', '/eventmatch', send({ ...draft, ...more }))
  expect(answer.status).toBe(200)
  return (await answer.json()) as { uuid: string }
}

test('every operation has a summary', () => {
  expect(api.incomplete).toEqual([])
})

test('who may ask what is described: a user or a token, other credentials for events, nothing for health', async () => {
  const { paths, components } = await api.document
  const ways = (path: string, method: string) =>
    paths[path]?.[method]?.security?.map((one) => Object.keys(one).join()).sort()
  expect(components.securitySchemes).toMatchObject({
    user: { type: 'apiKey', in: 'header', name: 'Http-Remote-User' },
    token: { type: 'http', scheme: 'bearer' },
    receiveBasic: { type: 'http', scheme: 'basic' },
  })
  expect(ways('/receive', 'post')).toEqual(['', 'receiveBasic', 'receiveToken'])
  for (const path of ['/healthz', '/readyz', '/metrics']) expect(ways(path, 'get')).toEqual([])
  const open = ['/receive', '/healthz', '/readyz', '/metrics']
  for (const [path, methods] of Object.entries(paths).filter(([path]) => !open.includes(path)))
    for (const method of Object.keys(methods))
      expect(ways(path, method), `${method} ${path}`).toEqual(['token', 'user'])
})

test('events are accepted, refused, and looked up', async () => {
  const receive = async (body: string, headers: Record<string, string> = as('ann')) =>
    api.ask('POST /receive', '/receive', { headers, body })
  const uuid = await (await receive(JSON.stringify(event))).text()
  expect(uuid).toMatch(/^[0-9a-f-]{36}$/)
  expect((await receive('{')).status).toBe(400)
  expect((await receive('<a/>', { 'content-type': 'text/xml' })).status).toBe(415)
  const get = (path: string, headers: Record<string, string> = as('ann')) =>
    api.ask('GET /events/{uuid}', `/events/${path}`, { headers })
  expect((await get(uuid)).status).toBe(200)
  expect((await get(unknown)).status).toBe(404)
  expect((await get(uuid, {})).status).toBe(403)
})

test('subscriptions are made, read, changed and deleted', async () => {
  const { uuid } = await subscribe()
  const { auth } = (await (
    await api.ask('GET /eventmatch/{uuid}', `/eventmatch/${uuid}`, { headers: as('ann') })
  ).json()) as { auth: object }
  expect(auth).toEqual({})
  const list = await api.ask('GET /eventmatch', '/eventmatch', { headers: as('ann') })
  expect(await list.json()).toHaveLength(1)
  const put = (body: unknown, user?: string) =>
    api.ask('PUT /eventmatch/{uuid}', `/eventmatch/${uuid}`, send(body, user))
  const retry = { max_attempts: 2, delays: [1.5] }
  expect(await (await put({ retry, max_concurrency: 3 })).json()).toMatchObject({ retry })
  expect((await put({ nonsense: 1 })).status).toBe(400)
  expect((await put({ name: 'mine' }, 'bob')).status).toBe(403)
  const deliveries = 'GET /eventmatch/{uuid}/deliveries'
  const of = (user: string) => ({ headers: as(user) })
  expect((await api.ask(deliveries, `/eventmatch/${uuid}/deliveries`, of('ann'))).status).toBe(200)
  expect((await api.ask(deliveries, `/eventmatch/${uuid}/deliveries`, of('bob'))).status).toBe(403)
  const remove = () =>
    api.ask('DELETE /eventmatch/{uuid}', `/eventmatch/${uuid}`, {
      headers: { 'http-remote-user': 'ann' },
    })
  const removed = await remove()
  expect([removed.status, await removed.text()]).toEqual([200, ''])
  expect((await remove()).status).toBe(403)
})

test('what is wrong with a subscription is told, all at once', async () => {
  const bad = { ...draft, jsonpath: "$['data']", target_url: 'ftp://x/', user: 'bob' }
  const answer = await api.ask('POST /eventmatch', '/eventmatch', send(bad))
  expect(answer.status).toBe(400)
  const { errors } = (await answer.json()) as { errors: { path: string }[] }
  expect(errors.map(({ path }) => path).sort()).toEqual(['/jsonpath', '/target_url', '/user'])
  const taken = await subscribe()
  const again = await api.ask(
    'POST /eventmatch',
    '/eventmatch',
    send({ ...draft, uuid: taken.uuid }),
  )
  expect(again.status).toBe(409)
})

test('what happened is listed, explained, tried and sent again', async () => {
  const { uuid } = await subscribe()
  const stored = await api.ask('POST /receive', '/receive', {
    headers: as('ann'),
    body: JSON.stringify({ ...event, eventID: 'e2' }),
  })
  const eventUuid = await stored.text()
  const get = (name: string, url: string, user = 'ann') => api.ask(name, url, { headers: as(user) })
  expect((await get('GET /events', '/events?limit=2')).status).toBe(200)
  expect((await get('GET /events', '/events?colour=red')).status).toBe(400)
  const explain = (body: unknown) =>
    api.ask('POST /eventmatch/explain', '/eventmatch/explain', send(body))
  const explained = await explain({ event, jsonpath: '$.data[0]' })
  expect(await explained.json()).toMatchObject({ matches: true })
  expect((await explain({ event, jsonpath: '$.data[' })).status).toBe(400)
  const tried = await api.ask('POST /eventmatch/{uuid}/test', `/eventmatch/${uuid}/test`, send({}))
  expect([200, 202]).toContain(tried.status)
  const retry = await api.ask('POST /events/{uuid}/retry', `/events/${eventUuid}/retry`, send({}))
  expect(retry.status).toBe(200)
  const since = '2020-01-01T00:00:00Z'
  const jobs = `/eventmatch/${uuid}/recover`
  const begun = await api.ask('POST /eventmatch/{uuid}/recover', jobs, send({ since }))
  expect(begun.status).toBe(202)
  const { uuid: job } = (await begun.json()) as { uuid: string }
  expect((await get('GET /eventmatch/{uuid}/recover', jobs)).status).toBe(200)
  const one = '/eventmatch/{uuid}/recover/{job}'
  expect((await get(`GET ${one}`, `${jobs}/${job}`)).status).toBe(200)
  expect((await get(`GET ${one}`, `${jobs}/${unknown}`)).status).toBe(404)
  const ended = await api.ask(`DELETE ${one}`, `${jobs}/${job}`, {
    headers: { 'http-remote-user': 'ann' },
  })
  expect(ended.status).toBe(200)
})

test('a draft is tried on the past, watched, and ended', async () => {
  const path = '/eventmatch/backtest'
  const start = (body: unknown) => api.ask(`POST ${path}`, path, send(body))
  const begun = await start({ jsonpath: '$.data', since: '2020-01-01T00:00:00Z' })
  expect(begun.status).toBe(202)
  const { uuid } = (await begun.json()) as { uuid: string }
  expect((await start({ jsonpath: '$[', since: 'yesterday' })).status).toBe(400)
  const ann = { headers: { 'http-remote-user': 'ann' } }
  expect((await api.ask(`GET ${path}`, path, ann)).status).toBe(200)
  const one = (method: string, job: string) =>
    api.ask(`${method} ${path}/{job}`, `${path}/${job}`, ann)
  await expect
    .poll(async () => (await (await one('GET', uuid)).json()) as object, { timeout: 30_000 })
    .toMatchObject({ state: 'done', complete: true })
  expect((await one('GET', unknown)).status).toBe(404)
  expect((await one('DELETE', uuid)).status).toBe(200)
  expect((await one('DELETE', uuid)).status).toBe(404)
})

test('a signing secret is made, shown to its owner, and ended', async () => {
  const { uuid } = await subscribe()
  const secret = (method: string, user = 'ann') =>
    api.ask(`${method} /eventmatch/{uuid}/secret`, `/eventmatch/${uuid}/secret`, {
      headers: { 'http-remote-user': user },
    })
  expect((await secret('GET')).status).toBe(404)
  expect((await secret('POST')).status).toBe(200)
  expect((await secret('GET')).status).toBe(200)
  expect((await secret('GET', 'bob')).status).toBe(403)
  expect((await secret('DELETE')).status).toBe(200)
})

test('dead letters are listed for administrators; without a broker there are none to send again', async () => {
  const get = (user: string) => api.ask('GET /dead', '/dead', { headers: as(user) })
  expect((await get('ann')).status).toBe(403)
  expect(await (await get('root')).json()).toEqual([])
  const root = { headers: { 'http-remote-user': 'root' } }
  const letter = `/dead/${unknown}`
  expect((await api.ask('GET /dead/{uuid}', letter, root)).status).toBe(404)
  expect((await api.ask('DELETE /dead/{uuid}', letter, root)).status).toBe(404)
  expect((await api.ask('POST /dead/{uuid}/resend', `${letter}/resend`, root)).status).toBe(409)
})

test('the operations routes answer as described', async () => {
  for (const path of ['/healthz', '/readyz', '/metrics'])
    expect((await api.ask(`GET ${path}`, path)).status).toBe(200)
})

test('nothing is described that was not tried', () => {
  const tried = new Set([...api.seen].map((name) => name.replace(/ \d+$/, '')))
  expect(api.operations.filter((name) => !tried.has(name))).toEqual([])
})
