/** POST /events/UUID/retry on both engines. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES } from '../../../../test/harness/index.ts'
import {
  ACCEPTED,
  NO,
  openScene,
  REFUSED,
  type Scene,
  YES,
} from '../../../../test/harness/scene.ts'

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())

  /** An event that `users` subscribed to, answered by Policy. */
  const eventFor = async (type: string, users: string[], said = YES) => {
    for (const user of users) await scene.subscribe(type, user)
    const event = await scene.accept(scene.anEvent(type))
    await scene.match()
    await scene.answer(said)
    return event
  }
  const deliveries = (event: string) =>
    scene.prisma.delivery.findMany({ where: { event }, orderBy: { owner: 'asc' } })

  test('an exhausted delivery begins anew: a new replay, the schedule from its start, its attempts kept', async () => {
    const event = await eventFor('again', ['ann'])
    await scene.deliver(REFUSED)
    const [before] = await deliveries(event)
    expect(before).toMatchObject({ state: 'exhausted', replay: 0, attempt: 1 })
    const { status, body } = await scene.as('ann').post(`/events/${event}/retry`)
    expect(status).toBe(200)
    expect(body).toEqual({ event, matched_again: false, retried: [before?.uuid], skipped: [] })
    const [claimed] = await scene.claim()
    expect(claimed).toMatchObject({ uuid: before?.uuid, replay: 1, attempt: 0 })
    if (claimed) await scene.finish([claimed], ACCEPTED)
    const shown = (await scene.as('ann').get(`/events/${event}`)).body.deliveries[0]
    expect(shown).toMatchObject({
      state: 'delivered',
      replay: 1,
      attempts: [
        { number: 1, replay: 0, outcome: 'refused' },
        { number: 1, replay: 1, outcome: 'accepted' },
      ],
    })
  })

  test('a user retries their own deliveries alone, an admin everybody’s', async () => {
    const event = await eventFor('shared', ['ann', 'bob'])
    await scene.deliver(REFUSED)
    expect((await scene.as('bob').post(`/events/${event}/retry`)).body.retried).toHaveLength(1)
    expect((await deliveries(event)).map((row) => row.state)).toEqual(['exhausted', 'pending'])
    const [anns] = await deliveries(event)
    const foreign = await scene
      .as('bob')
      .post(`/events/${event}/retry`, { deliveries: [anns?.uuid] })
    expect(foreign.body).toMatchObject({
      retried: [],
      skipped: [{ delivery: anns?.uuid, state: null }],
    })
    expect((await scene.as('cleo').post(`/events/${event}/retry`)).body.retried).toEqual([])
    expect((await scene.as('root').post(`/events/${event}/retry`)).body.retried).toEqual([
      anns?.uuid,
    ])
    await scene.deliver(ACCEPTED)
  })

  test('what was denied is asked for again, and goes out only after a yes', async () => {
    const event = await eventFor('denied', ['ann'], NO)
    expect((await deliveries(event))[0]).toMatchObject({ state: 'denied' })
    expect((await scene.as('ann').post(`/events/${event}/retry`)).body.retried).toHaveLength(1)
    expect(await scene.claim()).toEqual([])
    await scene.answer(NO)
    expect((await deliveries(event))[0]).toMatchObject({ state: 'denied', replay: 1 })
    await scene.as('ann').post(`/events/${event}/retry`)
    await scene.answer(YES)
    expect(await scene.deliver(ACCEPTED)).toHaveLength(1)
  })

  test('delivered ones are sent again only when they are named, or their state', async () => {
    const event = await eventFor('done', ['ann'])
    await scene.deliver(ACCEPTED)
    const [row] = await deliveries(event)
    const retry = (body?: object) => scene.as('ann').post(`/events/${event}/retry`, body)
    expect((await retry()).body.retried).toEqual([])
    expect((await retry({ deliveries: [row?.uuid] })).body.retried).toEqual([row?.uuid])
    const busy = await retry({ deliveries: [row?.uuid] })
    expect(busy.body.skipped).toMatchObject([{ delivery: row?.uuid, state: 'pending' }])
    await scene.deliver(ACCEPTED)
    expect((await retry({ states: ['delivered'] })).body.retried).toEqual([row?.uuid])
    await scene.deliver(ACCEPTED)
    expect((await deliveries(event))[0]).toMatchObject({ state: 'delivered', replay: 2 })
  })

  test('one that is retrying is sent at once, as the same delivery', async () => {
    const event = await eventFor('sooner', ['ann'])
    await scene.finish(await scene.claim(), REFUSED)
    expect(await scene.claim()).toEqual([])
    await scene.as('ann').post(`/events/${event}/retry`, { states: ['retrying'] })
    const [claimed] = await scene.deliver(ACCEPTED)
    expect(claimed).toMatchObject({ event, replay: 0, attempt: 1 })
  })

  test('what failed when it was matched goes out only if its expression matches now', async () => {
    const { uuid } = await scene.subscribe('broken', 'ann')
    const write = (jsonpath: string) =>
      scene.sql.query('UPDATE eventmatch SET jsonpath = $2 WHERE uuid = $1', [uuid, jsonpath])
    await write('$[[')
    const event = await scene.accept(scene.anEvent('broken'))
    await scene.match()
    const retry = async () => (await scene.as('ann').post(`/events/${event}/retry`)).body
    expect((await retry()).skipped[0].reason).toContain('cannot be evaluated')
    await write('$.somethingElse')
    expect((await retry()).skipped[0].reason).toContain('does not match')
    expect((await deliveries(event))[0]).toMatchObject({ state: 'failed', replay: 0 })
    await write('$[?(@.eventType = "broken")]')
    expect((await retry()).retried).toHaveLength(1)
    expect(await scene.claim(), 'Policy is asked first').toEqual([])
    await scene.answer(YES)
    expect(await scene.deliver(ACCEPTED)).toHaveLength(1)
  })

  test('a deleted subscription’s delivery stays cancelled, and the reply says why', async () => {
    const event = await eventFor('gone', ['ann'])
    const [row] = await deliveries(event)
    await scene.as('ann').delete(`/eventmatch/${row?.subscription}`)
    const { body } = await scene
      .as('ann')
      .post(`/events/${event}/retry`, { deliveries: [row?.uuid] })
    expect(body).toMatchObject({ retried: [], skipped: [{ state: 'cancelled' }] })
    expect(body.skipped[0].reason).toContain('deleted')
  })

  test('an unmatchable event is matched again for an admin alone', async () => {
    await scene.subscribe('stuck', 'ann')
    const event = await scene.accept(scene.anEvent('stuck'))
    await scene.sql.query(
      `UPDATE event_state SET state = 'unmatchable', due = NULL, begun = 8 WHERE event = $1`,
      [event],
    )
    const refused = await scene.as('ann').post(`/events/${event}/retry`)
    expect(refused).toMatchObject({ status: 403, body: { code: 'MATCH_AGAIN_FORBIDDEN' } })
    const listed = await scene.as('root').get('/events?state=unmatchable')
    expect(listed.body).toMatchObject([{ uuid: event }])
    const { body } = await scene.as('root').post(`/events/${event}/retry`)
    expect(body).toMatchObject({ matched_again: true, retried: [] })
    await scene.match()
    expect(await deliveries(event)).toMatchObject([{ state: 'pending' }])
  })

  test.each([
    [{ deliveries: ['seven'] }, 400],
    [{ deliveries: ['2f1b1c4e-5a0a-4b53-9d4b'] }, 400],
    [{ deliveries: [] }, 400],
    [{ states: ['held'] }, 400],
    [{ all: true }, 400],
  ])('%j is refused', async (body, status) => {
    const event = await scene.accept(scene.anEvent('refused'))
    expect((await scene.as('ann').post(`/events/${event}/retry`, body)).status).toBe(status)
  })

  test('an event that is not there is 404', async () => {
    expect((await scene.as('ann').post('/events/seven/retry')).status).toBe(404)
  })
})
