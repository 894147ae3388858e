/** What people see of events and deliveries, over HTTP, on both engines. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ENGINES } from '../../../../test/harness/index.ts'
import { NO, openScene, REFUSED, type Scene, YES } from '../../../../test/harness/scene.ts'

describe.each(ENGINES)('on the %s engine', (engine) => {
  let scene: Scene
  beforeAll(async () => {
    scene = await openScene(engine)
  }, 300_000)
  afterAll(() => scene?.close())

  /** Events of one type, accepted one after the other; the newest last. */
  const accepted = async (type: string, count: number, source?: string) => {
    const uuids: string[] = []
    for (let n = 0; n < count; n += 1) uuids.push(await scene.accept(scene.anEvent(type, source)))
    return uuids
  }
  const uuids = (rows: { uuid: string }[]) => rows.map((row) => row.uuid)
  /** All pages, followed by their links. */
  const follow = async (user: string, path: string, query: string, between = async () => {}) => {
    const pages: string[][] = []
    let next: string | undefined = `?${query}`
    while (next !== undefined) {
      const reply = await scene.as(user).get(`${path}${next}`)
      expect(reply.status, JSON.stringify(reply.body)).toBe(200)
      pages.push(uuids(reply.body))
      next = reply.link?.match(/^<(.*)>; rel="next"$/)?.[1]
      await between()
    }
    return pages
  }

  describe('the list of events', () => {
    test('an admin sees all events, newest first, in pages that link to the next', async () => {
      const all = await accepted('paged', 5)
      const pages = await follow('root', '/events', 'type=paged&limit=2')
      expect(pages).toEqual([[all[4], all[3]], [all[2], all[1]], [all[0]]])
    })

    test('events that come while somebody turns pages move nothing from one page to another', async () => {
      const before = await accepted('busy', 4)
      const pages = await follow('root', '/events', 'type=busy&limit=2', async () => {
        await accepted('busy', 3)
      })
      expect(pages.flat()).toEqual(before.reverse())
    })

    test('events of one commit, which have one time, are each on one page', async () => {
      const together = await Promise.all(Array.from({ length: 9 }, () => scene.anEvent('together')))
      const { eventStore } = await import('../accept/event-store.ts')
      const rows = await eventStore({ sql: scene.sql }).insert(together)
      const pages = await follow('root', '/events', 'type=together&limit=2')
      expect(pages.flat().sort()).toEqual(uuids(rows).sort())
    })

    test('a user sees the events of their own subscriptions only', async () => {
      await scene.subscribe('mine', 'ann')
      const [event] = await accepted('mine', 1)
      await accepted('not-mine', 1)
      await scene.match()
      expect(uuids((await scene.as('ann').get('/events?limit=10')).body)).toEqual([event])
      expect((await scene.as('bob').get('/events')).body).toEqual([])
    })

    test('an event that matches two of a user’s subscriptions is listed once, with both deliveries', async () => {
      await scene.subscribe('twice', 'dora')
      await scene.subscribe('twice', 'dora')
      const [event] = await accepted('twice', 1)
      await scene.match()
      const { body } = await scene.as('dora').get('/events')
      expect(body).toMatchObject([{ uuid: event, deliveries: { pending: 2 }, match_count: 2 }])
    })

    test('type, source, id and time are told, and searched, only after policy’s yes', async () => {
      await scene.subscribe('hidden', 'cleo')
      const [event] = await accepted('hidden', 1, '/secret')
      await scene.match()
      const ask = (query: string) => scene.as('cleo').get(`/events${query}`)
      expect((await ask('')).body).toMatchObject([
        { uuid: event, readable: false, type: null, source: null, id: null, time: null },
      ])
      expect((await ask('?type=hidden')).body).toEqual([])
      expect((await ask('?source=/secret')).body).toEqual([])
      await scene.answer(YES)
      expect((await ask('')).body).toMatchObject([
        { uuid: event, readable: true, type: 'hidden', source: '/secret' },
      ])
      expect(uuids((await ask('?type=hidden&source=/secret')).body)).toEqual([event])
      expect((await ask('?type=hidde')).body).toEqual([])
    })

    test('it is filtered by the state of the event and of its deliveries', async () => {
      await scene.subscribe('state', 'eve')
      const [denied] = await accepted('state', 1)
      await scene.match()
      await scene.answer(NO)
      const [waiting] = await accepted('state', 1)
      await scene.match()
      const [fresh] = await accepted('state', 1)
      const list = async (user: string, state: string) =>
        uuids((await scene.as(user).get(`/events?type=state&state=${state}`)).body)
      expect(await list('root', 'denied')).toEqual([denied])
      expect(await list('root', 'pending')).toEqual([waiting])
      expect(await list('root', 'new')).toEqual([fresh])
      expect(await list('root', 'matched')).toEqual([waiting, denied])
      expect(await list('root', 'unmatchable')).toEqual([])
      const own = async (state: string) =>
        uuids((await scene.as('eve').get(`/events?state=${state}`)).body)
      expect(await own('denied')).toEqual([denied])
      expect(await own('pending')).toEqual([waiting])
      expect(await own('delivered')).toEqual([])
    })

    test('a source may be longer than an index entry, and is still found as a whole', async () => {
      const long = '/long'.repeat(1000)
      const [one] = await accepted('long', 1, `${long}/1`)
      await accepted('long', 1, `${long}/2`)
      const list = await scene.as('root').get(`/events?source=${long}/1`)
      expect(uuids(list.body)).toEqual([one])
    })

    test('it is filtered by the time at which events were accepted', async () => {
      const [one, two] = await accepted('timed', 2)
      const at = async (uuid: string | undefined, time: string) =>
        scene.sql.query('UPDATE eventlog SET created = $2 WHERE uuid = $1', [uuid, time])
      await at(one, '2001-01-01T00:00:00Z')
      await at(two, '2001-01-02T00:00:00.000001Z')
      const list = async (query: string) =>
        uuids((await scene.as('root').get(`/events?type=timed&${query}`)).body)
      expect(await list('until=2001-01-02T00:00:00Z')).toEqual([one])
      expect(await list('since=2001-01-01T00:00:00Z&until=2001-02-01T00:00:00Z')).toEqual([
        two,
        one,
      ])
      expect(await list('since=2001-01-01T00:00:01Z')).toEqual([two])
      const pages = await follow('root', '/events', 'type=timed&limit=1&since=2001-01-01T00:00:00Z')
      expect(pages, 'a cursor keeps microseconds').toEqual([[two], [one]])
    })

    test.each([
      ['limit=0', 'query/limit'],
      ['limit=5000', 'query/limit'],
      ['cursor=nonsense', 'Link header'],
      ['cursor=OTk5OTk5OTk5OTk5OTk5OTphYWFhYWFhYS1hYWFhLWFhYWEtYWFhYS1hYWFhYWFhYWFhYWE', 'Link'],
      ['state=sleeping', 'query/state'],
      ['since=yesterday', 'query/since'],
      ['since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z', 'query/until'],
      ['type=%00', 'query/type'],
      ['colour=red', 'query/colour'],
    ])('?%s is refused, and the reply names the place', async (query, place) => {
      const { status, body } = await scene.as('ann').get(`/events?${query}`)
      expect(status).toBe(400)
      expect(body.message).toContain(place)
    })

    test('odd times are read as far as they can be', async () => {
      const odd = ['0000-01-01T00:00:00Z', '1900-01-01T00:00:00%2B14:00', '9999-12-31T23:59:59Z']
      for (const time of odd)
        expect((await scene.as('root').get(`/events?since=${time}&limit=1`)).status).toBe(200)
      expect((await scene.as('root').get('/events?since=2016-12-31T23:59:60Z')).status).toBe(400)
    })
  })

  describe('one event', () => {
    test('it is shown with each delivery, its policy answer and its attempts', async () => {
      await scene.subscribe('shown', 'fay')
      const [event] = await accepted('shown', 1)
      await scene.match()
      await scene.answer(YES)
      const long = { ...REFUSED, body: 'x'.repeat(5000), retryAfterMs: 60_000 }
      await scene.finish(await scene.claim(), long)
      const { body } = await scene.as('fay').get(`/events/${event}`)
      expect(body).toMatchObject({
        uuid: event,
        state: 'matched',
        readable: true,
        type: 'shown',
        more_deliveries: false,
        python_deliveries: [],
        event: { eventType: 'shown' },
      })
      expect(body.deliveries).toHaveLength(1)
      const [delivery] = body.deliveries
      expect(delivery).toMatchObject({
        state: 'retrying',
        user: 'fay',
        test: false,
        policy: { state: 'allowed', status_code: 200 },
        attempts: [
          { number: 1, replay: 0, outcome: 'refused', status_code: 500, body_truncated: true },
        ],
      })
      expect(delivery.attempts[0].body).toHaveLength(4096)
      expect(Date.parse(delivery.next_attempt)).toBeGreaterThan(Date.now() + 50_000)
    })

    test('to somebody without a delivery of it only its existence is shown', async () => {
      const [event] = await accepted('foreign', 1)
      await scene.match()
      const { status, body } = await scene.as('nobody').get(`/events/${event}`)
      expect(status).toBe(200)
      expect(body).toMatchObject({ uuid: event, type: null, event: null, deliveries: [] })
      expect((await scene.as('root').get(`/events/${event}`)).body.event.eventType).toBe('foreign')
      expect((await scene.as('ann').get(`/events/${randomUUID()}`)).status).toBe(404)
      expect((await scene.as('ann').get('/events/7')).status).toBe(404)
    })

    test('what the Python service delivered stays readable, for its owner and for admins', async () => {
      const { uuid: subscription } = await scene.subscribe('python', 'gus')
      const event = randomUUID()
      await scene.sql.query(
        `WITH event AS (INSERT INTO eventlog (uuid, jsondata) VALUES ($1, '{"eventID": NaN}') RETURNING uuid)
         INSERT INTO event_state (event, state, due) SELECT uuid, 'matched', NULL FROM event`,
        [event],
      )
      await scene.sql.query(
        `INSERT INTO eventlogmatch VALUES ($1, $2, $3, '200', 'fine', '503', 'busy', '2019-01-09 09:17:26.5Z')`,
        [randomUUID(), event, subscription],
      )
      const shown = {
        subscription,
        name: 'python',
        policy_status_code: '200',
        target_status_code: '503',
        target_body: 'busy',
        created: '2019-01-09T09:17:26.500Z',
      }
      const { body } = await scene.as('gus').get(`/events/${event}`)
      expect(body).toMatchObject({
        python_deliveries: [shown],
        event: '{"eventID": NaN}',
        deliveries: [],
      })
      expect(uuids((await scene.as('gus').get('/events')).body)).toContain(event)
      const admin = (await scene.as('root').get(`/events/${event}`)).body
      expect(admin).toMatchObject({ python_deliveries: [shown] })
      const other = (await scene.as('hal').get(`/events/${event}`)).body
      expect(other).toMatchObject({ python_deliveries: [], event: null })
    })
  })

  test('a page goes on from our deliveries to those of the Python service, each event once', async () => {
    const { uuid: subscription } = await scene.subscribe('both', 'joy')
    const old = [randomUUID(), randomUUID(), randomUUID()]
    await scene.sql.query(
      `WITH event AS (
         INSERT INTO eventlog (uuid, jsondata, created)
         SELECT given.uuid, '{}', '2019-01-09T00:00:00Z'::timestamptz - given.n * interval '1 day'
         FROM unnest($1::uuid[]) WITH ORDINALITY AS given (uuid, n) RETURNING uuid, created)
       INSERT INTO event_state (event, received, state, due) SELECT uuid, created, 'matched', NULL FROM event`,
      [old],
    )
    await scene.sql.query(
      `INSERT INTO eventlogmatch SELECT gen_random_uuid(), e.uuid, $2, '200', '', '200', '', e.created + interval '1 s'
       FROM eventlog e WHERE e.uuid = ANY($1::uuid[])`,
      [old, subscription],
    )
    const late = await accepted('both', 2)
    await scene.match()
    // The second of the old ones was sent once more by this service.
    await scene.sql.query(
      `INSERT INTO delivery (event, subscription, owner, state, received)
       SELECT uuid, $2, 'joy', 'delivered', created FROM eventlog WHERE uuid = $1`,
      [old[1], subscription],
    )
    const listed = async (query: string) =>
      uuids((await scene.as('joy').get(`/events?${query}`)).body)
    const all = await listed('limit=100')
    expect(all.slice(2)).toEqual(old)
    expect([...all.slice(0, 2)].sort()).toEqual([...late].sort())
    for (const limit of [1, 2, 3, 4])
      expect(await listed(`limit=${limit}`)).toEqual(all.slice(0, limit))
    expect(await listed('limit=100&until=2019-01-07T12:00:00Z')).toEqual(old.slice(1))
  })

  describe('the deliveries of a subscription', () => {
    test('they come in pages, newest event first, and by state', async () => {
      const { uuid } = await scene.subscribe('listed', 'ida')
      const events = await accepted('listed', 3)
      await scene.match()
      await scene.answer(YES)
      const claimed = await scene.claim()
      await scene.finish(
        claimed.filter((delivery) => delivery.event === events[0]),
        REFUSED,
        1,
      )
      const path = `/eventmatch/${uuid}/deliveries`
      const first = await scene.as('ida').get(`${path}?limit=2`)
      expect(first.body.map((row: { event: string }) => row.event)).toEqual([events[2], events[1]])
      const second = await scene.as('ida').get(`${path}${first.link?.match(/<(.*)>/)?.[1]}`)
      expect(second.body).toMatchObject([{ event: events[0], state: 'exhausted' }])
      expect(second.link).toBeUndefined()
      const exhausted = await scene.as('ida').get(`${path}?state=exhausted`)
      expect(exhausted.body).toMatchObject([{ event: events[0] }])
      expect((await scene.as('ida').get(`${path}?state=held`)).body).toEqual([])
    })

    test('they are for the owner and for admins', async () => {
      const { uuid } = await scene.subscribe('owned', 'jo')
      const path = `/eventmatch/${uuid}/deliveries`
      expect((await scene.as('jo').get(path)).status).toBe(200)
      expect((await scene.as('root').get(path)).status).toBe(200)
      expect((await scene.as('kim').get(path)).status).toBe(403)
      expect((await scene.as('kim').get('/eventmatch/seven/deliveries')).status).toBe(400)
    })
  })
})
