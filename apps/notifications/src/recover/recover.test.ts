/** Recoveries on both engines: by the routes, and step by step as a worker takes them. */
import { createBell } from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES, silentLog as log } from '../../../../test/harness/index.ts'
import { ACCEPTED, openScene, REFUSED, type Scene, YES } from '../../../../test/harness/scene.ts'
import { claimJob, nextCandidates, recordStep } from './job-store.ts'
import { recoverStep, roomFor } from './recover.ts'

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())

  const worker = (pace: number) =>
    recoverStep(
      { database: scene.sql, deliverBell: createBell(), authorizeBell: createBell(), log },
      { pace, everyMs: 0 },
    )
  const since = '2000-01-01T00:00:00Z'
  /** A subscription with `count` deliveries that were exhausted while its target was away. */
  const outage = async (type: string, count: number) => {
    const { uuid } = await scene.subscribe(type, 'ann')
    const events: string[] = []
    for (let n = 0; n < count; n += 1) events.push(await scene.accept(scene.anEvent(type)))
    await scene.match()
    await scene.answer(YES)
    await scene.deliver(REFUSED)
    return { uuid, events, path: `/eventmatch/${uuid}/recover` }
  }
  /** The target is well again: it has answered something since. */
  const backAgain = (uuid: string) =>
    scene.sql.query('UPDATE eventmatch SET failing_since = NULL WHERE uuid = $1', [uuid])
  const states = async (uuid: string) => {
    const rows = await scene.prisma.delivery.findMany({ where: { subscription: uuid } })
    return rows.map((row) => `${row.state} ${row.replay}`).sort()
  }
  const progress = async (path: string) => (await scene.as('ann').get(path)).body[0]

  test('a recovery replays what was exhausted, a few at a time, oldest first, each once', async () => {
    const { uuid, events, path } = await outage('paced', 5)
    await backAgain(uuid)
    const made = await scene.as('ann').post(path, { since })
    expect(made).toMatchObject({
      status: 202,
      body: {
        subscription: uuid,
        asked_by: 'ann',
        state: 'running',
        states: ['exhausted', 'failed'],
        total: 5,
        replayed: 0,
      },
    })
    const step = worker(2)
    await step()
    expect(await progress(path)).toMatchObject({ replayed: 2, state: 'running' })
    await step()
    expect(await progress(path), 'two are under way').toMatchObject({
      replayed: 2,
      waiting: '2 deliveries are under way',
    })
    const first = await scene.deliver(ACCEPTED)
    expect(first.map((delivery) => delivery.event).sort()).toEqual(events.slice(0, 2).sort())
    expect(first.every((delivery) => delivery.replay === 1)).toBe(true)
    await step()
    await scene.deliver(REFUSED)
    await backAgain(uuid)
    await step()
    await scene.deliver(ACCEPTED)
    await step()
    expect(await states(uuid)).toEqual([
      ...Array(3).fill('delivered 1'),
      ...Array(2).fill('exhausted 1'),
    ])
    const done = await progress(path)
    expect(done).toMatchObject({ state: 'done', total: 5, replayed: 5, skipped: 0, waiting: null })
    expect(done.finished).not.toBeNull()
    expect(await step()).toBe(false)
  })

  test('it survives a worker that dies between claim and record, and one that comes back late', async () => {
    const { uuid, path } = await outage('killed', 3)
    await backAgain(uuid)
    await scene.as('ann').post(path, { since })
    const dead = await claimJob(scene.sql)
    if (dead === undefined) throw new Error('nothing was claimed')
    const seen = await nextCandidates(scene.sql, dead, 2)
    expect(await claimJob(scene.sql), 'leased').toBeUndefined()
    await scene.sql.query('UPDATE recover_job SET due = now() WHERE uuid = $1', [dead.uuid])
    const step = worker(10)
    await step()
    expect(await progress(path)).toMatchObject({ state: 'done', replayed: 3 })
    const wanted = seen.map((candidate) => candidate.uuid)
    const late = { wanted, upTo: wanted.at(-1), skipped: 0, waiting: undefined }
    const again = { ...late, finished: false, againInMs: 0 }
    expect(await recordStep(scene.sql, dead, again)).toBeUndefined()
    expect(await states(uuid)).toEqual(Array(3).fill('pending 1'))
    await scene.deliver(ACCEPTED)
  })

  test('while the target still fails, one delivery at a time tries it', async () => {
    const { uuid, path } = await outage('probing', 4)
    await scene.as('ann').post(path, { since })
    const step = worker(10)
    await step()
    expect(await states(uuid)).toContain('pending 1')
    expect(await progress(path)).toMatchObject({ replayed: 1 })
    await scene.finish(await scene.claim(), REFUSED)
    await step()
    const waiting = await progress(path)
    expect(waiting).toMatchObject({ replayed: 1, state: 'running' })
    expect(waiting.waiting).toContain('has not answered well')
    await scene.sql.query(`UPDATE delivery SET due = now() WHERE state = 'retrying'`)
    await scene.finish(await scene.claim(), ACCEPTED)
    await step()
    expect(await progress(path)).toMatchObject({ replayed: 4 })
    await scene.deliver(ACCEPTED)
  })

  test('what is retrying is sent at once, if it is asked for', async () => {
    const { uuid } = await scene.subscribe('hurry', 'ann')
    await scene.accept(scene.anEvent('hurry'))
    await scene.match()
    await scene.answer(YES)
    await scene.finish(await scene.claim(), REFUSED)
    await backAgain(uuid)
    await scene.as('ann').post(`/eventmatch/${uuid}/recover`, { since, states: ['retrying'] })
    await worker(5)()
    expect(await scene.deliver(ACCEPTED)).toMatchObject([{ replay: 0, attempt: 1 }])
  })

  test('only events of the time asked for, and none that was accepted later', async () => {
    const { uuid, events, path } = await outage('ranged', 3)
    await backAgain(uuid)
    const received = async (event: string | undefined, time: string) =>
      scene.sql.query('UPDATE delivery SET received = $2 WHERE event = $1', [event, time])
    await received(events[0], '2001-01-01T00:00:00Z')
    await received(events[1], '2001-01-02T00:00:00Z')
    const day = { since: '2001-01-02T00:00:00Z', until: '2001-01-03T00:00:00Z' }
    expect((await scene.as('ann').post(path, day)).body).toMatchObject({ total: 1 })
    await worker(10)()
    const delivered = await scene.deliver(ACCEPTED)
    expect(delivered.map((delivery) => delivery.event)).toEqual([events[1]])
  })

  test('it waits for a disabled subscription, and ends with a deleted one', async () => {
    const { uuid, path } = await outage('disabled', 1)
    await scene.sql.query('UPDATE eventmatch SET disabled = now() WHERE uuid = $1', [uuid])
    await scene.as('ann').post(path, { since })
    const step = worker(10)
    await step()
    const waiting = await progress(path)
    expect(waiting).toMatchObject({ state: 'running', replayed: 0 })
    expect(waiting.waiting).toContain('disabled')
    await scene.as('ann').delete(`/eventmatch/${uuid}`)
    await step()
    expect(
      await scene.prisma.recoverJob.findFirst({ where: { subscription: uuid } }),
    ).toMatchObject({
      state: 'cancelled',
      reason: 'the subscription was deleted',
    })
  })

  test('one recovery of a subscription at a time; DELETE ends it and changes nothing that is done', async () => {
    const { uuid, path } = await outage('ended', 3)
    await backAgain(uuid)
    const { body: job } = await scene.as('ann').post(path, { since })
    const second = await scene.as('ann').post(path, { since })
    expect(second).toMatchObject({ status: 409, body: { code: 'RECOVERY_RUNNING' } })
    const step = worker(1)
    await step()
    const ended = await scene.as('ann').delete(`${path}/${job.uuid}`)
    expect(ended).toMatchObject({
      status: 200,
      body: { state: 'cancelled', reason: 'ended by ann', replayed: 1 },
    })
    await scene.deliver(ACCEPTED)
    expect(await step()).toBe(false)
    expect(await states(uuid)).toEqual(['delivered 1', 'exhausted 0', 'exhausted 0'])
    const again = await scene.as('ann').delete(`${path}/${job.uuid}`)
    expect(again).toMatchObject({ status: 200, body: { state: 'cancelled' } })
    expect((await scene.as('ann').get(`${path}/${job.uuid}`)).body).toEqual(again.body)
    const { body: next } = await scene.as('ann').post(path, { since })
    const newest = await scene.as('ann').get(`${path}?limit=1`)
    expect(newest.body).toMatchObject([{ uuid: next.uuid, total: 2 }])
    const oldest = await scene.as('ann').get(`${path}${newest.link?.match(/<(.*)>/)?.[1]}`)
    expect(oldest.body).toMatchObject([{ uuid: job.uuid }])
    await scene.as('ann').delete(`${path}/${next.uuid}`)
  })

  test('what failed when it was matched, and does not match now, is skipped and counted', async () => {
    const { uuid } = await scene.subscribe('unfit', 'ann')
    const write = (jsonpath: string) =>
      scene.sql.query('UPDATE eventmatch SET jsonpath = $2 WHERE uuid = $1', [uuid, jsonpath])
    await write('$[[')
    await scene.accept(scene.anEvent('unfit'))
    await scene.match()
    await write('$.nothing')
    const path = `/eventmatch/${uuid}/recover`
    await scene.as('ann').post(path, { since })
    await worker(5)()
    expect(await progress(path)).toMatchObject({ state: 'done', replayed: 0, skipped: 1 })
    expect(await states(uuid)).toEqual(['failed 0'])
  })

  test('it is for the owner and for admins', async () => {
    const { path } = await outage('owned', 1)
    expect((await scene.as('bob').post(path, { since })).status).toBe(403)
    expect((await scene.as('bob').get(path)).status).toBe(403)
    const { status, body } = await scene.as('root').post(path, { since })
    expect([status, body.asked_by]).toEqual([202, 'root'])
    expect((await scene.as('bob').get(`${path}/${body.uuid}`)).status).toBe(403)
    expect((await scene.as('ann').get(`${path}/seven`)).status).toBe(404)
    await scene.as('ann').delete(`${path}/${body.uuid}`)
  })

  test.each([
    [{}, '/since'],
    [{ since: 'monday' }, '/since'],
    [{ since, until: '1999-01-01T00:00:00Z' }, '/until'],
    [{ since, states: ['held'] }, '/states/0'],
    [{ since, states: [] }, '/states'],
    [{ since, pace: 5 }, '/pace'],
  ])('%j is refused, and the reply names the place', async (body, path) => {
    const { uuid } = await scene.subscribe('refused', 'ann')
    const reply = await scene.as('ann').post(`/eventmatch/${uuid}/recover`, body)
    expect(reply.status).toBe(400)
    expect(reply.body.errors[0].path).toBe(path)
  })
})

describe('how many deliveries a job hands out', () => {
  test.each([
    [{ disabled: false, failing: false, underWay: 0 }, 100],
    [{ disabled: false, failing: false, underWay: 99 }, 1],
    [{ disabled: false, failing: false, underWay: 500 }, 0],
    [{ disabled: false, failing: true, underWay: 0 }, 1],
    [{ disabled: false, failing: true, underWay: 1 }, 0],
    [{ disabled: true, failing: false, underWay: 0 }, 0],
  ])('%j: %i', (job, room) => {
    expect(roomFor(job, 100).room).toBe(room)
  })
})
