/** What a site sets: how many subscriptions a user may have, and who asks when nothing says so. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type RunningNotifications,
  runNotifications,
} from '../../../../test/pacifica/notifications.ts'

let service: RunningNotifications
beforeAll(async () => {
  service = await runNotifications({
    SUBSCRIPTIONS_PER_USER: '2',
    UNINDEXED_PER_USER: '1',
    DEFAULT_USER: 'default_user',
  })
}, 300_000)
afterAll(() => service?.stop())

const body = { name: 'n', jsonpath: 'data', target_url: 'http://127.0.0.1:9/' }

test('a user may have so many subscriptions and no more; a deleted one counts no more', async () => {
  const post = (user: string) => service.call('POST', '/eventmatch', { user, body })
  const first = await post('ann')
  expect((await post('ann')).status).toBe(200)
  const refused = await post('ann')
  expect([refused.status, refused.json.code]).toEqual([403, 'SUBSCRIPTION_LIMIT'])
  expect((await post('bob')).status).toBe(200)
  await service.call('DELETE', `/eventmatch/${first.json.uuid}`, { user: 'ann' })
  expect((await post('ann')).status).toBe(200)
})

test('the documented DELETE carries no user: it works where the default user owns the object', async () => {
  const made = await service.call('POST', '/eventmatch', { user: undefined, body })
  expect(made.json.user).toBe('default_user')
  const deleted = await service.call('DELETE', `/eventmatch/${made.json.uuid}`, { user: undefined })
  expect([deleted.status, deleted.text]).toEqual([200, ''])
})

test('of expressions that no index finds a user may have fewer; the part that is to blame is named', async () => {
  const send = (method: 'POST' | 'PUT', path: string, changes: object) =>
    service.call(method, path, { user: 'eve', body: changes })
  const first = await send('POST', '/eventmatch', { ...body, jsonpath: '$[?(not @.a)]' })
  expect([first.status, first.json.indexed]).toEqual([200, false])
  const jsonpath = '$[?$.a == 1 || !$.b]'
  const refused = await send('POST', '/eventmatch', { ...body, dialect: 'rfc9535', jsonpath })
  expect([refused.status, refused.json.code]).toEqual([409, 'UNINDEXED_LIMIT'])
  expect(refused.json.message).toContain('!$["b"]')
  expect(refused.json.errors).toMatchObject([{ path: '/jsonpath', offset: 15 }])

  const second = await send('POST', '/eventmatch', body)
  const path = `/eventmatch/${second.json.uuid}`
  expect((await send('PUT', path, { jsonpath: '$' })).status).toBe(409)
  expect((await send('PUT', path, { name: 'other' })).status).toBe(200)
  const same = await send('PUT', `/eventmatch/${first.json.uuid}`, { jsonpath: '$' })
  expect(same.status).toBe(200)
  await service.call('DELETE', `/eventmatch/${first.json.uuid}`, { user: 'eve' })
  const now = await send('PUT', path, { jsonpath: '$' })
  expect([now.status, now.json.indexed]).toEqual([200, false])
})

test('a subscription may be written in rfc9535, and changed from one dialect to the other', async () => {
  const call = (method: 'POST' | 'PUT' | 'GET', path: string, given?: object) =>
    service.call(method, path, { user: 'fay', ...(given ? { body: given } : {}) })
  const jsonpath = "$[?@.eventType == 'x']"
  const old = await call('POST', '/eventmatch', { ...body, jsonpath })
  expect([old.status, old.json.code]).toEqual([400, 'SUBSCRIPTION_INVALID'])
  const made = await call('POST', '/eventmatch', { ...body, jsonpath, dialect: 'rfc9535' })
  expect([made.status, made.json.dialect]).toEqual([200, 'rfc9535'])
  expect(made.json.warnings).toEqual([expect.stringContaining('each member by itself')])
  const path = `/eventmatch/${made.json.uuid}`
  const alone = await call('PUT', path, { dialect: 'jsonpath2' })
  expect([alone.status, alone.json.errors[0].path]).toEqual([400, '/jsonpath'])
  const both = { dialect: 'jsonpath2', jsonpath: '$[?(@.eventType = "x")]' }
  expect((await call('PUT', path, both)).json).toMatchObject({ ...both, warnings: [] })
  const mistake = await call('PUT', path, { dialect: 'rfc9535' })
  expect(mistake.json.errors[0]).toMatchObject({ hint: expect.stringContaining('=='), offset: 16 })
  const event = { cloudEventsVersion: '0.1', eventType: 'x', source: '/s', eventID: '1' }
  const told = await call('POST', '/eventmatch/explain', {
    event,
    jsonpath: "$[?$.eventType == 'x']",
    dialect: 'rfc9535',
  })
  expect([told.status, told.json.matches, told.json.dialect]).toEqual([200, true, 'rfc9535'])
})
