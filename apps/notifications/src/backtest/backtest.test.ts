/** Backtests on both engines: by the routes, and turn by turn as a worker takes them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ENGINES } from '../../../../test/harness/index.ts'
import { NO_SECRETS, past, type Says } from '../../../../test/harness/past.ts'
import { NO, openScene, type Scene, YES } from '../../../../test/harness/scene.ts'
import { purgeEvents } from '../purge/purge.ts'
import { storeTest, testEvent } from '../subscriptions/test-event.ts'
import { claimJob, recordTurn, type Turn } from './job-claim.ts'
import { MOST_ENDED, MOST_OPEN } from './job-store.ts'

const SILENT = { kind: 'unanswered', status: 503, reason: 'policy answered 503: away' } as const

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  let says: Says = NO_SECRETS
  let stage: ReturnType<typeof past>
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())
  beforeEach(async () => {
    says = NO_SECRETS
    stage = past(scene, () => says)
    await scene.sql.script('DELETE FROM backtest_job; DELETE FROM delivery; DELETE FROM eventlog')
  })

  const since = '2024-03-01T00:00:00Z'
  const until = '2024-04-01T00:00:00Z'
  const period = { since, until }
  const tags = '$.data[*][?(@.key = "Tag")]'
  const shown = async (path: string, user = 'ann') => (await scene.as(user).get(path)).body
  /** Five of ann's: two match; three that she may not see, of which two would. */
  async function month() {
    const tagged = [{ key: 'Tag', value: 1 }]
    const first = await stage.event('2024-03-01T00:00:00Z', 'ingest', tagged)
    await stage.event('2024-03-02T10:00:00.123456Z', 'ingest')
    await stage.event('2024-03-02T10:00:00.123457Z', 'secret', tagged)
    await stage.event('2024-03-02T10:00:00.123457Z', 'secret', tagged)
    await stage.event('2024-03-09T12:00:00Z', 'secret')
    const last = await stage.event('2024-03-09T12:00:00Z', 'ingest', tagged)
    for (const day of ['01', '02']) await stage.event(`2024-03-${day}T11:00:00Z`, 'other')
    await stage.event('2024-02-29T23:59:59.999999Z', 'ingest', tagged)
    await stage.event(until, 'ingest', tagged)
    return { first, last }
  }

  test('a draft is tried on the events of a period that the user may see', async () => {
    const { first, last } = await month()
    const draft = { name: 'tags', jsonpath: tags, ...period }
    const made = await scene.as('ann').post('/eventmatch/backtest', draft)
    expect(made).toMatchObject({ status: 202, body: { state: 'waiting', matched: 0, samples: [] } })
    const path = `/eventmatch/backtest/${made.body.uuid}`
    await stage.run()
    const done = await shown(path)
    expect(done).toMatchObject({
      ...{ asked_by: 'ann', name: 'tags', jsonpath: tags, dialect: 'jsonpath2', version: 'v0.1' },
      ...{ since: '2024-03-01T00:00:00.000Z', until: '2024-04-01T00:00:00.000Z' },
      ...{ state: 'done', complete: true, reason: null, waiting: null, matched: 2, unreadable: 0 },
      progress: { looked_at: 8, total: 8, reached: '2024-03-01T00:00:00.001Z' },
      histogram: {
        by: 'day',
        counts: [
          { from: '2024-03-01T00:00:00.000Z', matched: 1 },
          { from: '2024-03-09T00:00:00.000Z', matched: 1 },
        ],
      },
      cost: { class: 'indexed', part: null, evaluated: 5, over_budget: 0, warnings: [] },
      policy: {
        ...{ user: 'ann', of: 'events', allowed: 5, denied: 3, unknown: 0, asked: 8 },
        reasons: [{ reason: 'Policy answered 412', count: 3 }],
      },
      other_samples: { over_budget: [], denied: [], unknown: [] },
    })
    const { mean_steps: mean, max_steps: most } = done.cost
    expect(most).toBeGreaterThanOrEqual(mean)
    expect(mean).toBeGreaterThan(0)
    const sample = { type: 'ingest', source: '/past', count: 1, values: [{ key: 'Tag', value: 1 }] }
    expect(done.samples).toMatchObject([
      { ...sample, event: last, received: '2024-03-09T12:00:00.000Z', truncated: false },
      { ...sample, event: first, received: '2024-03-01T00:00:00.000Z', truncated: false },
    ])
    expect(stage.counted).toEqual({ looked: 8, asked: 8, ended: ['done'] })
    expect(await scene.prisma.delivery.count(), 'nothing is delivered').toBe(0)
    expect(await scene.prisma.policyAnswer.count(), 'and no answer recorded').toBe(0)
  })

  test('whatever the expression, the same is told of events that the user may not see', async () => {
    await month()
    const tell = async (jsonpath: string, policy: Says) => {
      says = policy
      const path = await stage.start('ann', { jsonpath, ...period })
      await stage.run({ silenceMs: 0 })
      const {
        uuid: _u,
        created: _c,
        started: _s,
        updated: _d,
        finished: _f,
        ...told
      } = await shown(path)
      const { jsonpath: _j, cost, ...rest } = told
      return { ...rest, evaluated: cost.evaluated, mean: cost.mean_steps, over: cost.over_budget }
    }
    for (const policy of [() => NO, () => SILENT]) {
      const asked = stage.asked.length
      const all = await tell('$', policy)
      const questions = stage.asked.length - asked
      expect(all).toMatchObject({ matched: 0, evaluated: 0, mean: null, samples: [] })
      expect(all.policy.denied + all.policy.unknown).toBe(8)
      for (const jsonpath of [tags, '$.nothing', '$[?(@.eventType = "secret")]']) {
        const before = stage.asked.length
        expect(await tell(jsonpath, policy)).toEqual(all)
        expect(stage.asked.length - before, 'not even how often Policy is asked').toBe(questions)
      }
    }
  })

  test('an admin is told of all events, and which matches Policy would deny to whom', async () => {
    await month()
    says = (user, event) => (user === 'bob' ? NO_SECRETS(user, event) : NO)
    const path = await stage.start('root', { jsonpath: tags, ...period, user: 'bob', samples: 1 })
    await stage.run()
    const done = await shown(path, 'root')
    expect(done).toMatchObject({
      ...{ matched: 4, cost: { evaluated: 8 } },
      policy: {
        ...{ user: 'bob', of: 'matches', allowed: 2, denied: 2, unknown: 0, asked: 4 },
        reasons: [{ reason: 'Policy answered 412: no', count: 2 }],
      },
    })
    expect(done.samples).toMatchObject([{ type: 'ingest', policy: 'allowed' }])
    expect(done.other_samples.denied).toHaveLength(1)
    expect(stage.asked.every(({ user }) => user === 'bob')).toBe(true)
    const named = { jsonpath: tags, ...period, user: 'bob' }
    expect((await scene.as('ann').post('/eventmatch/backtest', named)).body.errors).toMatchObject([
      { path: '/user' },
    ])
  })

  test('what is on record is not asked for; with policy: false nothing else is looked into', async () => {
    await scene.subscribe('recorded', 'ann')
    await stage.event('2024-03-03T00:00:00Z', 'recorded', [{ key: 'Tag' }])
    await scene.match()
    await scene.answer(YES)
    const refused = await scene.accept(scene.anEvent('recorded'))
    await scene.match()
    await scene.answer(NO)
    const move = 'UPDATE eventlog SET created = $2 WHERE uuid = $1'
    await scene.sql.query(move, [refused, '2024-03-04T00:00:00Z'])
    await stage.event('2024-03-05T00:00:00Z', 'unasked', [{ key: 'Tag' }])
    const tried = async (more: object) => {
      const path = await stage.start('ann', { jsonpath: tags, ...period, ...more })
      await stage.run()
      return shown(path)
    }
    expect(await tried({ policy: false })).toMatchObject({
      matched: 1,
      policy: {
        ...{ allowed: 1, denied: 1, unknown: 1, asked: 0 },
        reasons: [{ reason: 'Policy answered 412' }, { reason: 'Policy was not asked' }],
      },
    })
    expect(stage.asked).toEqual([])
    expect(await tried({})).toMatchObject({ matched: 2, policy: { allowed: 2, asked: 1 } })
  })

  test('a worker that dies loses a turn, and one that comes back late changes nothing', async () => {
    const { last } = await month()
    const path = await stage.start('ann', { jsonpath: tags, ...period })
    const claim = { leaseMs: 600_000, perUser: 1, inAll: 1 }
    const step = stage.worker({ turnMs: 0 })
    await step()
    expect(await shown(path)).toMatchObject({ state: 'running', progress: { looked_at: 2 } })
    const dead = await claimJob(scene.sql, claim)
    if (dead === undefined) throw new Error('nothing was claimed')
    expect(await claimJob(scene.sql, claim), 'leased').toBeUndefined()
    await scene.sql.query('UPDATE backtest_job SET due = now()')
    await stage.run({ turnMs: 0 })
    const done = await shown(path)
    const { tally, reached } = dead
    const late: Turn = {
      ...{ tally, reached, samples: [], state: 'running' as const, reason: undefined },
      ...{ complete: false, waiting: undefined, againInMs: 0 },
    }
    expect(await recordTurn(scene.sql, dead, late)).toBe(false)
    expect(await shown(path)).toEqual(done)
    expect(done).toMatchObject({ state: 'done', matched: 2, progress: { looked_at: 8 } })
    expect(done.samples[0]).toMatchObject({ event: last })
    expect(done.policy, 'each event once').toMatchObject({ allowed: 5, denied: 3 })
  })

  test('several workers take turns at several backtests, and none counts an event twice', async () => {
    await month()
    const users = ['ann', 'bob', 'eve', 'dan']
    const paths = await Promise.all(
      users.map((user) => stage.start(user, { jsonpath: tags, ...period })),
    )
    const slow = { turnMs: 0, inAll: 3 }
    await Promise.all([stage.run(slow), stage.run(slow, await scene.home.another())])
    await stage.run(slow) // what one left to the other when that had just looked
    for (const [at, path] of paths.entries())
      expect(await shown(path, users[at])).toMatchObject({
        ...{ state: 'done', matched: 2, progress: { looked_at: 8 } },
        policy: { allowed: 5, denied: 3, asked: 8 },
      })
    expect(stage.asked).toHaveLength(8 * users.length)
  })

  test('one that ends every worker is given up', async () => {
    await month()
    const path = await stage.start('ann', { jsonpath: tags, ...period })
    for (let times = 0; times < 5; times += 1) {
      await claimJob(scene.sql, { leaseMs: 0, perUser: 1, inAll: 1 })
    }
    await stage.run()
    expect(await shown(path)).toMatchObject({
      ...{ state: 'failed', reason: 'it was begun 5 times without an end', complete: false },
    })
  })

  test('it can be ended at any time, and is removed when it has ended; others do not see it', async () => {
    await month()
    const path = await stage.start('ann', { jsonpath: tags, ...period })
    const step = stage.worker({ turnMs: 0 })
    await step()
    expect((await scene.as('bob').get(path)).status).toBe(404)
    expect((await scene.as('bob').delete(path)).status).toBe(404)
    expect((await scene.as('root').get(path)).status).toBe(200)
    const ended = await scene.as('ann').delete(path)
    expect(ended).toMatchObject({
      status: 200,
      body: { state: 'cancelled', reason: 'ended by ann', progress: { looked_at: 2 } },
    })
    expect(ended.body.samples).toHaveLength(1)
    expect(await step()).toBe(false)
    const listed = await scene.as('ann').get('/eventmatch/backtest')
    expect(listed.body).toMatchObject([{ state: 'cancelled' }])
    expect((await scene.as('bob').get('/eventmatch/backtest')).body).toEqual([])
    expect((await scene.as('ann').delete(path)).status).toBe(200)
    expect((await scene.as('ann').get(path)).status).toBe(404)
    expect(await scene.prisma.backtestSample.count()).toBe(0)
    const root = await stage.start('root', { jsonpath: tags, ...period })
    await scene.sql.query(`UPDATE backtest_job SET asked_by = 'ann'`)
    expect((await scene.as('ann').get(root)).status, 'of the time as an admin').toBe(404)
    expect((await scene.as('ann').get('/eventmatch/backtest')).body).toEqual([])
  })

  test('few run at once, few wait, few are kept', async () => {
    const body = { jsonpath: tags, ...period }
    for (let n = 0; n < MOST_OPEN.yours; n += 1) await stage.start('ann', body)
    await stage.start('bob', body)
    const claim = () => claimJob(scene.sql, { leaseMs: 600_000, perUser: 2, inAll: 4 })
    const owners = [await claim(), await claim(), await claim(), await claim()]
    expect(owners.map((job) => job?.owner)).toEqual(['ann', 'ann', 'bob', undefined])
    const more = await scene.as('ann').post('/eventmatch/backtest', body)
    expect(more).toMatchObject({ status: 429, body: { code: 'BACKTEST_LIMIT' } })
    expect(more.body.message).toContain('DELETE /eventmatch/backtest/UUID')
    await scene.sql.query(
      `INSERT INTO backtest_job (asked_by, owner, sees_all, jsonpath, dialect, version, since, until, samples, policy)
       SELECT 'user ' || n, 'u', false, '$', 'jsonpath2', 'v0.1', now(), now(), 1, true
       FROM generate_series(1, ${MOST_OPEN.all}) n`,
    )
    const full = await scene.as('eve').post('/eventmatch/backtest', body)
    expect(full).toMatchObject({ status: 429, body: { code: 'BACKTEST_LIMIT' } })
    expect(full.body.message).toContain('try again later')
    await scene.sql.query(
      `UPDATE backtest_job SET state = 'done', finished = now(), asked_by = 'ann', due = NULL`,
    )
    await stage.start('ann', body)
    const left = await scene.as('ann').get('/eventmatch/backtest?limit=1000')
    expect(left.body).toHaveLength(MOST_ENDED)
    const page = await scene.as('ann').get('/eventmatch/backtest?limit=20')
    expect(page.body).toEqual(left.body.slice(0, 20))
    await scene.sql.query(`UPDATE backtest_job SET finished = now() - interval '8 days'
                           WHERE finished IS NOT NULL`)
    await stage.run({ keepMs: 7 * 24 * 3_600_000 })
    expect((await scene.as('ann').get('/eventmatch/backtest')).body).toMatchObject([
      { state: 'done', matched: 0 },
    ])
  })

  test('while Policy is away it waits; what Policy never answers it passes over', async () => {
    await month()
    says = () => SILENT
    const path = await stage.start('ann', { jsonpath: tags, ...period })
    const atOnce = { atOnce: 8, batch: { events: 8, bytes: 1_000_000, ttlMs: 0 } }
    const step = stage.worker(atOnce)
    for (let times = 0; times < 2; times += 1) {
      await step()
      expect(await shown(path)).toMatchObject({
        ...{ state: 'running', waiting: 'Policy gives no answer: Policy answered 503' },
        ...{ progress: { looked_at: 0 }, policy: { unknown: 0 } },
      })
    }
    says = (user, event) => (event.type === 'other' ? SILENT : NO_SECRETS(user, event))
    await stage.run(atOnce)
    expect(await shown(path)).toMatchObject({
      ...{ state: 'done', matched: 2, waiting: null },
      policy: { allowed: 3, denied: 3, unknown: 2 },
    })
  })

  test('one that may not ask any more says how far it came, and another one goes on', async () => {
    await month()
    const first = await stage.start('ann', { jsonpath: tags, ...period })
    await stage.run({ questions: 5 })
    const cut = await shown(first)
    expect(cut).toMatchObject({ state: 'done', complete: false, policy: { asked: 5 } })
    expect(cut.reason).toContain('another one with that as its until goes on')
    const rest = await stage.start('ann', { jsonpath: tags, since, until: cut.progress.reached })
    await stage.run()
    const other = await shown(rest)
    expect(cut.matched + other.matched).toBe(2)
    expect(other.complete).toBe(true)
  })

  test('what is too much work, what is large, and what cannot be read is told', async () => {
    const wide = Array.from({ length: 1000 }, (_, n) => ({ name: `file ${n}`, key: 'x' }))
    const hard = await stage.event('2024-03-02T00:00:00Z', 'wide', wide)
    const large = Array.from({ length: 30 }, () => 'x'.repeat(1000))
    const big = await stage.event('2024-03-03T00:00:00Z', 'large', large)
    const broken = await stage.event('2024-03-04T00:00:00Z', 'broken')
    await scene.sql.query(`UPDATE eventlog SET jsondata = '{"a": NaN}' WHERE uuid = $1`, [broken])
    says = () => YES
    const path = await stage.start('root', { jsonpath: '$.data[*]', ...period, policy: false })
    await stage.run()
    const done = await shown(path, 'root')
    expect(done).toMatchObject({ state: 'done', matched: 2, unreadable: 1, cost: { evaluated: 2 } })
    expect(done.samples[0]).toMatchObject({ type: 'large', count: 30, truncated: true })
    expect(JSON.stringify(done.samples[0].values).length).toBeLessThan(17_000)
    expect(done.policy).toMatchObject({ allowed: 0, asked: 0 })
    const over = await stage.start('root', { jsonpath: '$', ...period, policy: false })
    const costly = '$..substring($..*,$..*).zz'
    await scene.sql.query(`UPDATE backtest_job SET jsonpath = $1 WHERE state = 'waiting'`, [costly])
    await stage.run()
    expect(await shown(over, 'root')).toMatchObject({
      ...{ matched: 0, cost: { evaluated: 2, over_budget: 2 } },
      other_samples: { over_budget: [big, hard] },
    })
  })

  test('what was purged is not shown any more, and test events never were', async () => {
    const { first } = await month()
    const subscription = await scene.subscribe('mine', 'ann')
    await storeTest(scene.sql, testEvent(subscription, new Date()), subscription)
    const path = await stage.start('root', { jsonpath: '$', since, policy: false })
    await stage.run()
    const before = await shown(path, 'root')
    expect(before).toMatchObject({ matched: 9 })
    expect(before.samples.map(({ event }: { event: string }) => event)).toContain(first)
    await purgeEvents(scene.sql, { which: { uuids: [first] }, pendingToo: 'all' })
    const after = await shown(path, 'root')
    expect(after.samples).toHaveLength(before.samples.length - 1)
    expect(after.matched).toBe(9)
  })

  test('a period is cut to what is stored, and one that is turned round is refused', async () => {
    await month()
    const start = (body: object) => scene.as('ann').post('/eventmatch/backtest', body)
    const all = await start({
      jsonpath: '$',
      since: '1990-01-01T00:00:00Z',
      until: '2999-01-01T00:00:00Z',
    })
    expect(all.body.since).toBe('2024-02-29T23:59:59.999Z')
    expect(Date.parse(all.body.until)).toBeLessThan(Date.parse('2999-01-01'))
    expect((await start({ jsonpath: '$', since: until, until: since })).body).toMatchObject({
      ...{ code: 'BAD_TIME', errors: [{ path: '/until' }] },
    })
    const later = await start({ jsonpath: '$', since: '2998-01-01T00:00:00Z' })
    expect(later.body.since).toBe(later.body.until)
    await stage.run()
    expect(await shown(`/eventmatch/backtest/${later.body.uuid}`)).toMatchObject({
      ...{ state: 'done', complete: true, progress: { looked_at: 0, total: 0 } },
    })
  })

  test.each<[string, object]>([
    ['an expression that does not end', { jsonpath: '$[' }],
    ['two equals signs', { jsonpath: '$[?(@.a == 1)]' }],
    ['nothing', { jsonpath: '' }],
    ['no expression', {}],
    ['too much work', { jsonpath: '$..[?(@..* contains @..*)]..zz' }],
    ['an unknown dialect and version', { jsonpath: '$', dialect: 'xpath', version: 'v2' }],
    ['what cannot be stored', { jsonpath: '$\u0000', name: 'x'.repeat(300) }],
  ])('a mistake in a draft is told as of a subscription: %s', async (_what, draft) => {
    const whole = { name: 'n', target_url: 'http://example.org/', ...draft }
    const given = await scene.as('ann').post('/eventmatch', whole)
    const tried = await scene.as('ann').post('/eventmatch/backtest', { ...draft, since })
    expect(tried.status).toBe(400)
    expect(tried.body).toEqual(given.body)
  })

  test('the guide’s lines do what it says', async () => {
    const guide = await readFile(
      join(import.meta.dirname, '../../../../docs/guides/subscribe.md'),
      'utf8',
    )
    const section = /^## Try it on the past.*?(?=^## )/ms.exec(guide)?.[0] ?? ''
    const lines = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, text = '']) => text)
    const day = '2024-01-02T10:00:00Z'
    await stage.event(day, 'org.pacifica.metadata.ingest', [
      { destinationTable: 'Files', mimetype: 'text/plain' },
    ])
    await stage.event(day, 'org.pacifica.metadata.ingest')
    let path = ''
    const replies: { status: number; body: { state?: string; matched?: number } }[] = []
    for (const line of lines.flatMap((block) => block.replaceAll('\\\n', ' ').trim().split('\n'))) {
      const method = / -X (\w+)/.exec(line)?.[1] ?? 'GET'
      const url = new URL(/(http:\S+)/.exec(line)?.[1] ?? '').pathname.replace(
        /\/UUID$/,
        `/${path}`,
      )
      const payload = / -d '(.*)'/.exec(line)?.[1]
      const headers = {
        'http-remote-user': /Http-Remote-User: (\w+)/.exec(line)?.[1] ?? '',
        ...(payload && { 'content-type': 'application/json' }),
      }
      const request = { method: method as 'GET', url, headers }
      const reply = await scene.app.inject({ ...request, ...(payload && { payload }) })
      const body = reply.json()
      replies.push({ status: reply.statusCode, body })
      if (reply.statusCode === 202) {
        path = body.uuid
        expect(reply.headers.location).toBe(`/eventmatch/backtest/${path}`)
        await stage.run()
      }
    }
    expect(replies).toMatchObject([
      { status: 202, body: { state: 'waiting' } },
      { status: 200, body: { state: 'done', matched: 1 } },
      { status: 200, body: { state: 'done' } },
    ])
    expect((await scene.as('dmlb2001').get('/eventmatch/backtest')).body).toEqual([])
  })
})
