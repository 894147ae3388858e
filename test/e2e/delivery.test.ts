/** What a subscriber's endpoint sees, and what becomes of each delivery, on real sockets and both engines. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, ENGINES } from '../harness/index.ts'
import { QUICK, type Site, startSite, until } from '../pacifica/site.ts'

describe.each(ENGINES)('on the %s engine', (engine) => {
  let site: Site
  let drop = async () => {}
  beforeAll(async () => {
    const database = engine === 'postgresql' ? await createTestDatabase() : undefined
    if (database) drop = database.drop
    site = await startSite(database ? { DATABASE_URL: database.url } : {})
  }, 300_000)
  afterAll(async () => {
    await site?.close()
    await drop()
  })

  test.concurrent('an event goes out as it came in but for the merged extensions', async () => {
    const extensions = { site: 'pnnl' }
    const uuid = await site.subscribe('bytes', '/bytes', { extensions })
    const body =
      '{ "eventType":"bytes", "cloudEventsVersion" : "0.1","source":"/s", "eventID":"b1",\n' +
      ' "extensions": {"a": 1.0, "big": 12345678901234567890}, "data":{"z":1.50,"a":"\\u00e9é"} }'
    await site.service.call('POST', '/receive', { body, headers: json })
    await site.settled(uuid, 'delivered')
    const [sent] = site.receiver.sent('/bytes')
    expect(sent?.body).toBe(body.replace('890}', '890, "site": "pnnl"}'))
    expect(sent?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(sent?.body ?? '')),
      'webhook-id': expect.stringMatching(/^[0-9a-f-]{36}$/),
      'user-agent': expect.stringMatching(/^pacifica-notifications\//),
    })
  })

  test.concurrent('without extensions an empty one is added; v1.0 has the names of 1.0', async () => {
    const old = await site.subscribe('both', '/old')
    const jsonpath = '$[?(@.type = "both")]'
    const young = await site.subscribe('both', '/young', { version: 'v1.0', jsonpath })
    await site.post('both', { eventID: 'b', data: { n: 1 } })
    await Promise.all([old, young].map((uuid) => site.settled(uuid, 'delivered')))
    const base = { source: '/test' }
    expect(JSON.parse(site.receiver.sent('/old')[0]?.body ?? '')).toEqual({
      ...base,
      cloudEventsVersion: '0.1',
      eventType: 'both',
      eventID: 'b',
      data: { n: 1 },
      extensions: {},
    })
    expect(JSON.parse(site.receiver.sent('/young')[0]?.body ?? '')).toEqual({
      ...base,
      specversion: '1.0',
      type: 'both',
      id: 'b',
      data: { n: 1 },
    })
  })

  test.concurrent('credentials go out as Authorization: Basic, or any scheme', async () => {
    const basic = { type: 'basic', basic: { username: 'us:er', password: 'pä' } }
    const bearer = { type: 'header', header: { type: 'Bearer', credentials: 'tok' } }
    const one = await site.subscribe('auth', '/basic', { auth: basic })
    const other = await site.subscribe('auth', '/bearer', { auth: bearer })
    await site.post('auth')
    await Promise.all([one, other].map((uuid) => site.settled(uuid, 'delivered')))
    const wanted = `Basic ${Buffer.from('us:er:pä', 'latin1').toString('base64')}`
    expect(site.receiver.sent('/basic')[0]?.headers.authorization).toBe(wanted)
    expect(site.receiver.sent('/bearer')[0]?.headers.authorization).toBe('Bearer tok')
  })

  test.concurrent('a failed attempt is made again, under the same id, until it succeeds', async () => {
    const uuid = await site.subscribe('again', '/again', QUICK)
    site.receiver.behave('/again', { status: 500, body: 'oops' }, 'hang up', { status: 201 })
    await site.post('again')
    const failing = await until(async () => {
      const { health } = await site.show(uuid)
      expect(health.failing_since).not.toBeNull()
      return health
    })
    const countdown =
      Date.parse(failing.disables_at ?? '') - Date.parse(failing.failing_since ?? '')
    expect(countdown).toBe(5 * 24 * 3_600_000)
    const { attempts } = await site.settled(uuid, 'delivered')
    expect(attempts).toMatchObject([
      { number: 1, outcome: 'refused', status_code: 500, body: 'oops' },
      {
        number: 2,
        outcome: 'unreachable',
        status_code: null,
        error: expect.stringContaining('closed'),
      },
      { number: 3, outcome: 'accepted', status_code: 201, error: null },
    ])
    const sent = site.receiver.sent('/again')
    expect(new Set(sent.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect((sent[1]?.at ?? 0) - (sent[0]?.at ?? 0)).toBeGreaterThan(890)
    expect((await site.show(uuid)).health).toMatchObject({
      last_success: expect.any(String),
      failing_since: null,
      disables_at: null,
    })
  })

  test.concurrent('Retry-After is waited for', async () => {
    const uuid = await site.subscribe('patience', '/patience', QUICK)
    const headers = { 'retry-after': '3' }
    site.receiver.behave('/patience', { status: 429, headers }, { status: 200 })
    await site.post('patience')
    await site.settled(uuid, 'delivered')
    const [first, second] = site.receiver.sent('/patience')
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(2_900)
  })

  test.concurrent('a redirect is a failed attempt that says where it pointed', async () => {
    const uuid = await site.subscribe('redirect', '/redirect', { retry: { max_attempts: 1 } })
    const headers = { location: site.receiver.url('/elsewhere') }
    site.receiver.behave('/redirect', { status: 307, headers })
    await site.post('redirect')
    const { reason } = await site.settled(uuid, 'exhausted')
    expect(reason).toContain(`answered 307, a redirect to ${headers.location}`)
    expect(site.receiver.sent('/elsewhere')).toEqual([])
  })

  test.concurrent('a target that does not answer in time has failed', async () => {
    const uuid = await site.subscribe('silence', '/silence', { retry: { max_attempts: 1 } })
    site.receiver.behave('/silence', 'silence')
    await site.post('silence')
    const { reason, attempts } = await site.settled(uuid, 'exhausted')
    expect(reason).toMatch(/^no answer from 127.0.0.1:\d+ within 1.\d s$/)
    expect(attempts[0]?.duration_ms).toBeGreaterThanOrEqual(990)
  })

  test.concurrent('410 disables at once; what comes later is held until it is enabled again', async () => {
    const uuid = await site.subscribe('gone', '/gone')
    site.receiver.behave('/gone', { status: 410 }, { status: 200 })
    await site.post('gone')
    const { reason } = await site.settled(uuid, 'exhausted')
    expect(reason).toBe('the target answered 410 Gone')
    await until(async () => expect((await site.show(uuid)).error).toBe(reason))
    await site.post('gone')
    const states = async () => (await site.deliveries(uuid)).map(({ state }) => state).sort()
    await until(async () => expect(await states()).toEqual(['exhausted', 'held']))
    await site.change(uuid, { disabled: null })
    expect(await site.show(uuid)).toMatchObject({ disabled: null, error: null })
    await until(async () => expect(await states()).toEqual(['delivered', 'exhausted']))
  })

  test.concurrent('deleting the subscription cancels what waits', async () => {
    const uuid = await site.subscribe('deleted', '/deleted', { retry: { delays: [600] } })
    site.receiver.behave('/deleted', { status: 503 })
    const event = await site.post('deleted')
    await site.settled(uuid, 'retrying')
    await site.service.call('DELETE', `/eventmatch/${uuid}`)
    const { json: history } = await site.service.call('GET', `/events/${event}`)
    expect(history.deliveries).toMatchObject([
      { state: 'cancelled', reason: 'the subscription was deleted' },
    ])
  })

  test.concurrent('a dispatcher that is not there is a failed attempt; when it comes it gets the event', async () => {
    const more = { target_url: 'dispatch://late', ...QUICK }
    const uuid = await site.subscribe('dispatch', '', more)
    await site.post('dispatch')
    const { attempts } = await site.settled(uuid, 'retrying')
    expect(attempts).toMatchObject([
      { outcome: 'unreachable', error: expect.stringContaining("'late'") },
    ])
    const taken: { deliveryId: string; body: string }[] = []
    const consumer = await site.service.transport.consume('late', async (message) => {
      taken.push(message)
    })
    const { uuid: delivery } = await site.settled(uuid, 'delivered')
    await consumer.stop()
    expect(taken.map(({ deliveryId }) => deliveryId)).toEqual([delivery])
    expect(JSON.parse(taken[0]?.body ?? '')).toMatchObject({
      eventType: 'dispatch',
      extensions: {},
    })
  })
})

const json = { 'content-type': 'application/json' }
