/** /eventmatch over HTTP, line by line as the Python service's clients know it, on a composed service. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type RunningNotifications,
  runNotifications,
} from '../../../../test/pacifica/notifications.ts'

let service: RunningNotifications
beforeAll(async () => {
  service = await runNotifications({ ADMIN_USERS: 'root' })
}, 300_000)
afterAll(() => service?.stop())

const minimal = {
  name: 'text files',
  jsonpath: '$[?(@.eventType = "org.pacifica.metadata.ingest")]',
  target_url: 'http://127.0.0.1:9/hook',
}
const post = (body: unknown, user?: string) =>
  service.call('POST', '/eventmatch', user === undefined ? { body } : { body, user })
const get = (uuid: string, user?: string) =>
  service.call('GET', `/eventmatch/${uuid}`, user === undefined ? {} : { user })
const put = (uuid: string, body: unknown) => service.call('PUT', `/eventmatch/${uuid}`, { body })
const create = async (more: object = {}, user?: string) => {
  const answer = await post({ ...minimal, ...more }, user)
  expect(answer.status, answer.text).toBe(200)
  return answer.json
}
const places = (answer: { json: { errors: { path: string }[] } }) =>
  answer.json.errors.map(({ path }) => path).sort()

const KEYS = [
  'uuid name jsonpath user disabled error target_url version extensions auth created updated deleted',
  'dialect indexed max_concurrency retry signing warnings health',
]
  .join(' ')
  .split(' ')

test('POST answers 200 with the object: the Python keys in their order, then ours', async () => {
  const answer = await post(minimal)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
  expect(Object.keys(answer.json)).toEqual(KEYS)
  expect(answer.json).toMatchObject({
    ...minimal,
    user: 'dmlb2001',
    disabled: null,
    error: null,
    version: 'v0.1',
    extensions: {},
    auth: {},
    deleted: null,
    dialect: 'jsonpath2',
    indexed: true,
    max_concurrency: null,
    retry: null,
    signing: false,
    warnings: [],
    health: { last_success: null, failing_since: null, disables_at: null },
  })
  expect(answer.json.uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
})

test('times are RFC 3339 in UTC', async () => {
  const { created, updated } = await create()
  for (const time of [created, updated]) {
    expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000)
  }
})

test('GET and the list show the same object in the same order', async () => {
  const made = await create({}, 'reader')
  const one = await get(made.uuid, 'reader')
  expect(one.status).toBe(200)
  expect(one.text).toBe(JSON.stringify(made))
  const list = await service.call('GET', '/eventmatch', { user: 'reader' })
  expect(list.text).toBe(JSON.stringify([made]))
})

test('a user without subscriptions gets 200 and an empty list', async () => {
  const list = await service.call('GET', '/eventmatch', { user: 'nobody-yet' })
  expect([list.status, list.text]).toEqual([200, '[]'])
})

test('with a limit the list comes in pages, each once, also when one is deleted in between', async () => {
  const made = []
  for (let number = 0; number < 5; number += 1) made.push((await create({}, 'pager')).uuid)
  const seen: string[] = []
  let path: string | undefined = '/eventmatch?limit=2'
  for (let page = 0; path !== undefined && page < 10; page += 1) {
    const answer = await service.call('GET', path, { user: 'pager' })
    seen.push(...answer.json.map((one: { uuid: string }) => one.uuid))
    path = /^<(.+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
    if (page === 0) await service.call('DELETE', `/eventmatch/${made[1]}`, { user: 'pager' })
  }
  expect(seen).toEqual(made)
  for (const query of ['limit=0', 'limit=x', 'limit=1001', 'limit=2&cursor=nonsense'])
    expect((await service.call('GET', `/eventmatch?${query}`)).status, query).toBe(400)
})

test("unknown, deleted and another user's answer 403 alike", async () => {
  const [mine, gone] = [await create({}, 'ann'), await create()]
  await service.call('DELETE', `/eventmatch/${gone.uuid}`)
  const unknown = '00000000-0000-4000-8000-000000000000'
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const body = method === 'PUT' ? { body: { name: 'x' } } : {}
    const answers = await Promise.all(
      [mine.uuid, gone.uuid, unknown].map(async (uuid) => {
        const answer = await service.call(method, `/eventmatch/${uuid}`, body)
        return [answer.status, answer.text.replace(uuid, 'UUID')]
      }),
    )
    expect(answers[0]?.[0]).toBe(403)
    expect(new Set(answers.map(String)).size).toBe(1)
  }
})

test('errors have the Python keys, and no traceback', async () => {
  const answer = await get('00000000-0000-4000-8000-000000000000')
  expect(Object.keys(answer.json).slice(0, 4)).toEqual([
    'status',
    'message',
    'traceback',
    'version',
  ])
  expect(answer.json).toMatchObject({ status: '403 Forbidden', traceback: '' })
  expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
})

test('who says nothing of who they are gets 403; the header is believed, from loopback', async () => {
  const answer = await service.call('GET', '/eventmatch', { user: undefined })
  expect(answer.status).toBe(403)
  expect(answer.json.message).toContain('Http-Remote-User')
})

test('PUT changes what it names, and keeps extensions and auth that it does not name', async () => {
  const auth = { type: 'basic', basic: { username: 'u', password: 'p' } }
  const made = await create({ extensions: { site: 'pnnl' }, auth })
  const changed = await put(made.uuid, { name: 'renamed' })
  expect(changed.status).toBe(200)
  expect(changed.json).toMatchObject({ name: 'renamed', jsonpath: made.jsonpath })
  expect(changed.json.extensions).toEqual({ site: 'pnnl' })
  expect(changed.json.auth).toEqual({
    type: 'basic',
    basic: { username: 'u', password: '********' },
  })
  expect(Date.parse(changed.json.updated)).toBeGreaterThanOrEqual(Date.parse(made.updated))
  expect(changed.json.created).toBe(made.created)
})

test('PUT of an object just as GET gave it changes nothing but its time', async () => {
  const made = await create({
    auth: { type: 'header', header: { type: 'Bearer', credentials: 's3cret' } },
    retry: { max_attempts: 3, delays: [1.5, 20] },
    max_concurrency: 2,
    extensions: { nested: { list: [1, 'é'] } },
  })
  const answer = await put(made.uuid, made)
  expect(answer.status, answer.text).toBe(200)
  expect({ ...answer.json, updated: '' }).toEqual({ ...made, updated: '' })
})

test('neither user nor uuid can be changed', async () => {
  const made = await create()
  const answer = await put(made.uuid, { user: 'mallory', uuid: crypto.randomUUID() })
  expect(answer.status).toBe(400)
  expect(places(answer)).toEqual(['/user', '/uuid'])
  expect((await put(made.uuid, { user: 'dmlb2001', uuid: made.uuid.toUpperCase() })).status).toBe(
    200,
  )
  expect((await post({ ...minimal, user: 'mallory' })).status).toBe(400)
})

test('secrets are masked wherever they are shown, and the mask sent back keeps them', async () => {
  const made = await create({
    auth: { type: 'basic', basic: { username: 'u', password: 's3cret!' } },
  })
  const again = await put(made.uuid, {
    auth: { ...made.auth, basic: { ...made.auth.basic, username: 'v' } },
  })
  expect(again.json.auth).toEqual({ type: 'basic', basic: { username: 'v', password: '********' } })
  const other = await put(made.uuid, {
    auth: { type: 'header', header: { type: 'Bearer', credentials: '********' } },
  })
  expect(other.status).toBe(400)
  expect(other.json.errors).toEqual([
    {
      path: '/auth/header/credentials',
      message:
        'auth.header.credentials is the mask that stands for a stored secret, and none is stored',
    },
  ])
  expect(service.log()).not.toContain('s3cret!')
})

test('a time in `disabled` pauses, null enables again', async () => {
  const made = await create()
  const paused = await put(made.uuid, { disabled: '2026-01-01T00:00:00Z' })
  expect(paused.json.disabled).toBe('2026-01-01T00:00:00.000Z')
  const enabled = await put(made.uuid, { disabled: null })
  expect(enabled.json).toMatchObject({ disabled: null, error: null })
  for (const disabled of ['1998-12-31T23:59:60Z', '0000-01-01T00:00:00Z'])
    expect((await put(made.uuid, { disabled })).status, disabled).toBe(400)
})

test('a uuid of one’s own is taken when it is free; taken or deleted it is 409', async () => {
  const uuid = crypto.randomUUID()
  const made = await create({ uuid: `{${uuid.toUpperCase()}}` })
  expect(made.uuid).toBe(uuid)
  expect((await post({ ...minimal, uuid })).status).toBe(409)
  await service.call('DELETE', `/eventmatch/${uuid}`)
  const deleted = await post({ ...minimal, uuid }, 'somebody-else')
  expect(deleted.status).toBe(409)
  expect(deleted.json).toMatchObject({ status: '409 Conflict', code: 'SUBSCRIPTION_EXISTS' })
})

test('a uuid may be written in capitals, in braces, without dashes', async () => {
  const { uuid } = await create()
  const bare = uuid.replaceAll('-', '')
  for (const spelling of [uuid.toUpperCase(), `%7B${uuid}%7D`, bare, `{${bare.toUpperCase()}}`])
    expect((await get(spelling)).json?.uuid, spelling).toBe(uuid)
})

test('what is no uuid is 400, in the path and in the body', async () => {
  for (const bad of ['1', 'not-a-uuid', '00000000-0000-4000-8000-00000000000g']) {
    expect((await get(bad)).status, bad).toBe(400)
    expect(places(await post({ ...minimal, uuid: bad }))).toEqual(['/uuid'])
  }
})

test('unknown keys are 400 and named', async () => {
  const answer = await post({ ...minimal, target: 'x', filter: 1 })
  expect(answer.status).toBe(400)
  expect(answer.json.errors).toEqual([
    { path: '/target', message: 'is not known here' },
    { path: '/filter', message: 'is not known here' },
  ])
  expect((await put((await create()).uuid, { enabled: true })).status).toBe(400)
})

test('every mistake is told at once, with its place', async () => {
  const answer = await post({
    jsonpath: '$.a ==',
    target_url: 'http://10.0.0.1/',
    version: 'v2',
    auth: { type: 'basic', basic: { username: 'u' } },
    user: 'mallory',
    extensions: [],
    colour: 'red',
    max_concurrency: 1000,
  })
  expect(answer.status).toBe(400)
  expect(places(answer)).toEqual([
    '/auth/basic/password',
    '/colour',
    '/extensions',
    '/jsonpath',
    '/max_concurrency',
    '/name',
    '/target_url',
    '/user',
    '/version',
  ])
})

test.each([
  [null, '/auth'],
  ['x', '/auth'],
  [{ type: 'oauth' }, '/auth/type'],
  [{ basic: { username: 'u', password: 'p' } }, '/auth/type'],
  [{ type: 'basic' }, '/auth/basic'],
  [{ type: 'header', header: { type: 'Bearer', credentials: 5 } }, '/auth/header/credentials'],
  [{ type: 'basic', basic: { username: 'u', password: 'p', realm: 'r' } }, '/auth/basic/realm'],
  [{ type: 'basic', basic: { username: 'u', password: 'a\nb' } }, '/auth/basic/password'],
])('of a wrong auth %j the place is said', async (auth, path) => {
  const answer = await post({ ...minimal, auth })
  expect([answer.status, places(answer)]).toEqual([400, [path]])
})

test('a bad expression is 400 with the place in its text and what was probably meant', async () => {
  const answer = await post({ ...minimal, jsonpath: '$[?(@.eventType == "x")]' })
  expect(answer.status).toBe(400)
  expect(answer.json.errors).toEqual([
    {
      path: '/jsonpath',
      message: expect.stringContaining('at line 1, column'),
      hint: expect.stringContaining('='),
      offset: 17,
    },
  ])
  expect(answer.json.message).toContain('jsonpath: ')
})

test('an expression that does far too much work on an ordinary event is refused', async () => {
  const answer = await post({ ...minimal, jsonpath: '$..[?(@..* contains @..*)]..zz' })
  expect(answer.status).toBe(400)
  expect(answer.json.errors[0]).toMatchObject({
    path: '/jsonpath',
    message: expect.stringMatching(/^tried on an event that is nested 40 deep: .* too much work/),
  })
})

test("the documented example's bare `data` works and is shown as it was given", async () => {
  expect((await create({ jsonpath: 'data' })).jsonpath).toBe('data')
})

test('what an expression probably does not mean is said in `warnings`', async () => {
  const { warnings } = await create({ jsonpath: '$[?(@.a = 1 or @.b = 2 and @.c = 3)]' })
  expect(warnings).toEqual([expect.stringContaining("'or' binds tighter than 'and'")])
})

test('targets: http, https and dispatch://name; nothing that leads into this network', async () => {
  for (const target_url of ['https://example.org/x?y=1', 'dispatch://example', 'dispatch://a-1/'])
    expect((await post({ ...minimal, target_url })).status, target_url).toBe(200)
  for (const target_url of [
    'ftp://example.org/',
    'nonsense',
    'dispatch://No Name',
    'http://10.1.2.3/',
    'http://[::ffff:169.254.169.254]/',
    'http://user:pass@example.org/',
    'http://example.org/\u0000',
  ])
    expect((await post({ ...minimal, target_url })).status, target_url).toBe(400)
})

test('the character U+0000 is refused where it cannot be stored, and kept where it can', async () => {
  const answer = await post({ ...minimal, name: 'a\u0000b' })
  expect([answer.status, places(answer)]).toEqual([400, ['/name']])
  expect((await create({ extensions: { a: 'b\u0000' } })).extensions).toEqual({ a: 'b\u0000' })
})

test('no Content-Type is JSON, also from +json; a wrong one is 415', async () => {
  const body = JSON.stringify(minimal)
  const as = (type?: string) =>
    service.call('POST', '/eventmatch', { body, headers: type ? { 'content-type': type } : {} })
  for (const type of [undefined, 'application/json', 'application/json; charset=utf-8'])
    expect((await as(type)).status, type).toBe(200)
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    const refused = await as(type)
    expect([refused.status, refused.json.status]).toEqual([415, '415 Unsupported Media Type'])
  }
})

test('bad JSON is 400 with its place; a body that is no object, or none, is 400', async () => {
  const bad = await service.call('POST', '/eventmatch', { body: '{"name": "x",\n oops}' })
  expect(bad.status).toBe(400)
  expect(bad.json.message).toContain('line 2')
  for (const body of ['5', '[]', 'null', '"x"', ''])
    expect((await service.call('POST', '/eventmatch', { body })).status, body).toBe(400)
})

test('GET and HEAD take a trailing slash', async () => {
  const { uuid } = await create()
  for (const path of [
    '/eventmatch',
    '/eventmatch/',
    `/eventmatch/${uuid}`,
    `/eventmatch/${uuid}/`,
  ]) {
    expect((await service.call('GET', path)).status, path).toBe(200)
    const head = await service.call('HEAD', path)
    expect([head.status, head.text], path).toEqual([200, ''])
  }
})

test('DELETE answers 200 with an empty body, and 403 from then on', async () => {
  const { uuid } = await create()
  const answer = await service.call('DELETE', `/eventmatch/${uuid}`)
  expect([answer.status, answer.text]).toEqual([200, ''])
  expect((await service.call('DELETE', `/eventmatch/${uuid}`)).status).toBe(403)
  expect((await get(uuid)).status).toBe(403)
  const list = await service.call('GET', '/eventmatch')
  expect(list.json.map((each: { uuid: string }) => each.uuid)).not.toContain(uuid)
})

test('the retry override is shown as it was given, within its bounds; null takes it away', async () => {
  const made = await create({ retry: { max_attempts: 50, delays: [1, 604_800] } })
  expect(made.retry).toEqual({ max_attempts: 50, delays: [1, 604_800] })
  expect((await put(made.uuid, { retry: null })).json.retry).toBeNull()
  for (const retry of [{ max_attempts: 0 }, { max_attempts: 51 }, { delays: [0] }, { delays: [] }])
    expect((await put(made.uuid, { retry })).status, JSON.stringify(retry)).toBe(400)
})

test('the signing secret: made, shown to its owner alone, rotated, taken away', async () => {
  const { uuid } = await create()
  const path = `/eventmatch/${uuid}/secret`
  const off = await service.call('GET', path)
  expect([off.status, off.json.code]).toEqual([404, 'SIGNING_OFF'])
  const made = await service.call('POST', path)
  expect(made.status, made.text).toBe(200)
  expect(made.json).toMatchObject({ secret: expect.stringMatching(/^whsec_/), previous: [] })
  expect(made.headers.get('cache-control')).toBe('no-store')
  expect((await service.call('GET', path)).json).toEqual(made.json)
  const shown = await get(uuid)
  expect(shown.json.signing).toBe(true)
  expect(shown.text).not.toContain('whsec_')
  for (const method of ['GET', 'POST', 'DELETE'])
    expect((await service.call(method, path, { user: 'mallory' })).status, method).toBe(403)

  const rotated = await service.call('POST', path)
  expect(rotated.json.secret).not.toBe(made.json.secret)
  const [previous] = rotated.json.previous
  expect(rotated.json.previous).toHaveLength(1)
  expect(previous.created).toBe(made.json.created)
  const hours = (Date.parse(previous.until) - Date.now()) / 3_600_000
  expect(Math.round(hours)).toBe(24)
  for (let more = 0; more < 8; more += 1) await service.call('POST', path)
  expect((await service.call('GET', path)).json.previous).toHaveLength(4)

  const removed = await service.call('DELETE', path)
  expect([removed.status, removed.text]).toEqual([200, ''])
  expect((await get(uuid)).json.signing).toBe(false)
  expect((await service.call('GET', path)).status).toBe(404)
  expect(service.log()).not.toContain('whsec_')
})

test('the API’s description names every route, and every field has its words', async () => {
  const { json } = await service.call('GET', '/docs/json')
  const routes = Object.keys(json.paths).filter((path) => path.startsWith('/eventmatch'))
  expect(routes).toEqual(
    expect.arrayContaining(['/eventmatch', '/eventmatch/{uuid}', '/eventmatch/{uuid}/secret']),
  )
  expect(Object.keys(json.paths['/eventmatch'].post.responses)).toEqual(
    expect.arrayContaining(['200', '400', '401', '403', '409', '413', '415', '503']),
  )
})
