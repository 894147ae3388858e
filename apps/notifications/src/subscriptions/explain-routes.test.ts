/** POST /eventmatch/explain on both engines. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES } from '../../../../test/harness/index.ts'
import { NO, openScene, type Scene, YES } from '../../../../test/harness/scene.ts'
import type { PolicyAnswer } from '../authorize/policy-client.ts'

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  let fresh: PolicyAnswer
  beforeAll(async () => {
    scene = await openScene(engine, () => fresh)
  }, 300_000)
  afterAll(() => scene?.close())
  beforeEach(() => {
    fresh = YES
  })

  const given = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: '1', data: [1] }
  const explain = (user: string, body: object) => scene.as(user).post('/eventmatch/explain', body)

  test('an event in the body and an expression: the values', async () => {
    const { status, body } = await explain('ann', { event: given, jsonpath: 'data[*]' })
    expect(status, JSON.stringify(body)).toBe(200)
    expect(body).toMatchObject({
      matches: true,
      count: 1,
      values: [1],
      jsonpath: 'data[*]',
      dialect: 'jsonpath2',
      version: 'v0.1',
      event: null,
      subscription: null,
      policy: null,
    })
  })

  test('no match: the clause that failed, what stood there, and warnings', async () => {
    const jsonpath = '$.data[?(@.key = "Tag")]'
    const { body } = await explain('ann', { event: given, jsonpath })
    expect(body).toMatchObject({
      matches: false,
      failed: {
        clause: '@["key"] = "Tag"',
        reached: '$["data"]',
        found: [{ kind: 'list', items: 1 }],
        because: [{ clause: '["key"]' }],
      },
      warnings: [{ code: 'FILTER_ON_ARRAY', offset: 7 }],
    })
  })

  test('an event by its id and a subscription by its uuid, with the policy answer on record', async () => {
    const { uuid } = await scene.subscribe('explained', 'ann', {
      version: 'v1.0',
      jsonpath: '$.id',
    })
    const event = await scene.accept(scene.anEvent('explained'))
    await scene.match()
    await scene.answer(YES)
    const { body } = await explain('ann', { event, subscription: uuid })
    expect(body).toMatchObject({
      matches: true,
      count: 1,
      version: 'v1.0',
      event,
      subscription: uuid,
      policy: { user: 'ann', state: 'allowed', status_code: 200, fresh: false },
    })
    const other = await explain('ann', { event, subscription: uuid, version: 'v0.1' })
    expect(other.body).toMatchObject({ matches: false, version: 'v0.1' })
    const instead = await explain('ann', { event, subscription: uuid, jsonpath: '$.type' })
    expect(instead.body).toMatchObject({ values: ['explained'] })
  })

  test('of a stored event nothing is told before policy’s yes, not even whether it matches', async () => {
    const event = await scene.accept(scene.anEvent('secret'))
    const ask = (more: object = {}) => explain('bob', { event, jsonpath: '$.eventType', ...more })
    const hidden = { matches: null, values: [], failed: null, count: 0 }
    expect((await ask()).body).toMatchObject({ ...hidden, policy: null })
    expect((await ask()).body.error).toContain('Policy has not said')
    fresh = NO
    expect((await ask({ policy: true })).body).toMatchObject({
      ...hidden,
      policy: { state: 'denied', status_code: 412, body: 'no', fresh: true },
    })
    fresh = { kind: 'unanswered', status: 500, reason: 'policy answered 500' }
    expect((await ask({ policy: true })).body).toMatchObject({
      ...hidden,
      policy: { state: 'unanswered', error: 'policy answered 500' },
    })
    fresh = YES
    expect((await ask({ policy: true })).body).toMatchObject({ matches: true, values: ['secret'] })
    expect((await ask()).body, 'a fresh yes is told, not stored').toMatchObject(hidden)
    expect((await explain('root', { event, jsonpath: '$.eventType' })).body.matches).toBe(true)
  })

  test('a yes to somebody else opens nothing', async () => {
    await scene.subscribe('not-yours', 'ann')
    const event = await scene.accept(scene.anEvent('not-yours'))
    await scene.match()
    await scene.answer(YES)
    expect((await explain('bob', { event, jsonpath: '$' })).body.matches).toBeNull()
    const own = await scene.subscribe('not-yours', 'ann')
    expect((await explain('bob', { event, subscription: own.uuid })).status).toBe(403)
    const admin = await explain('root', { event, subscription: own.uuid })
    expect(admin.body).toMatchObject({ matches: true, policy: { user: 'ann' } })
  })

  test('a subscription whose stored expression is refused says so', async () => {
    const { uuid } = await scene.subscribe('bad', 'ann')
    await scene.sql.query(`UPDATE eventmatch SET jsonpath = '$[[' WHERE uuid = $1`, [uuid])
    const { status, body } = await explain('ann', { event: given, subscription: uuid })
    expect(status).toBe(400)
    expect(body.errors[0]).toMatchObject({ path: '/subscription' })
  })

  test.each([
    ['no expression', { event: given }, 400, '/jsonpath'],
    ['a bad expression', { event: given, jsonpath: '$[?(@.a == 1)]' }, 400, '/jsonpath'],
    ['no event', { jsonpath: '$' }, 400, '/event'],
    ['what is no event', { event: { a: 1 }, jsonpath: '$' }, 400, ''],
    ['an unknown event', { event: randomUUID(), jsonpath: '$' }, 404, ''],
    ['an unknown dialect', { event: given, jsonpath: '$', dialect: 'xpath' }, 400, '/dialect'],
    ['an unknown key', { event: given, jsonpath: '$', deep: true }, 400, '/deep'],
  ])('%s is refused, and the reply names the place', async (_name, body, status, path) => {
    const reply = await explain('ann', body)
    expect(reply.status).toBe(status)
    const paths = (reply.body.errors ?? [{ path: '' }]).map((error: { path: string }) => error.path)
    expect(paths).toContain(path)
  })
})
