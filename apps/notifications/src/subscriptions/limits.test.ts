/** What a site sets: how many subscriptions a user may have, and who asks when nothing says so. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type RunningNotifications,
  runNotifications,
} from '../../../../test/pacifica/notifications.ts'

let service: RunningNotifications
beforeAll(async () => {
  service = await runNotifications({ SUBSCRIPTIONS_PER_USER: '2', DEFAULT_USER: 'default_user' })
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
