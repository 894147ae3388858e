/**
 * The role `intake` as those on the other side of a real broker see it, on both engines: events and poison published to
 * pacifica.receive, dead letters by the API, and by the command line.
 */
import { randomUUID } from 'node:crypto'
import {
  createRabbitmqTransport,
  type DispatchMessage,
  type Transport,
  UnreadableDispatchError,
} from '@pacifica/platform'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import {
  type BrokerChannel,
  type Described,
  describedApi,
  ENGINES,
  eventually,
  isReady,
  silentLog as log,
  openSiteWithBroker,
  type PublishOptions,
  type Site,
} from '../../../../test/harness/index.ts'
import { runCli } from '../cli/run-cli.ts'

vi.setConfig({ testTimeout: 180_000 })

const RECEIVE = 'pacifica.receive'
const PATIENCE = 120_000
const admin = { headers: { 'http-remote-user': 'root' } }
const dispatch: DispatchMessage = {
  ...{ deliveryId: randomUUID(), replay: 2, digest: 'ab'.repeat(32), body: anEvent() },
}

interface Letter {
  readonly uuid: string
  readonly queue: string
  readonly why: string
  readonly state: string
  readonly [member: string]: unknown
}

function anEvent(id: string = randomUUID()): string {
  return `{"specversion": "1.0", "type": "t", "source": "/s", "id": "${id}", "n": 1.0}`
}

describe.each(ENGINES)('on the %s engine', (engine) => {
  let site: Site
  let api: Described
  let channel: BrokerChannel
  let dispatcher: Transport

  beforeAll(async () => {
    site = await openSiteWithBroker(engine)
    channel = await site.openChannel()
    const transport = { url: site.env['BROKER_URL'] ?? '', name: 'dispatcher' }
    dispatcher = createRabbitmqTransport({ log }, transport)
    site.onClose(() => dispatcher.close())
    const { url } = await site.start()
    api = await describedApi(url)
    await eventually(() => isReady(url))
  }, 300_000)
  afterAll(() => site?.close())

  async function publish(body: string, properties: PublishOptions = {}): Promise<void> {
    channel.sendToQueue(RECEIVE, Buffer.from(body), { persistent: true, ...properties })
    await channel.waitForConfirms()
  }

  async function eventWith(id: string): Promise<unknown> {
    const found = await eventually(async () => {
      const all = (await (await api.ask('GET /events', '/events?limit=1000', admin)).json()) as {
        uuid: string
        id: string
      }[]
      const wanted = all.filter((each) => each.id === id)
      expect(wanted.length).toBeLessThan(2)
      return wanted[0]
    })
    const path = `/events/${found.uuid}`
    const answer = await api.ask('GET /events/{uuid}', path, admin)
    return ((await answer.json()) as { event: unknown }).event
  }

  const letters = async (query: string): Promise<Letter[]> => {
    const answer = await api.ask('GET /dead', `/dead?${query}`, admin)
    expect(answer.status).toBe(200)
    return (await answer.json()) as Letter[]
  }
  const letterOf = (messageId: string, queue = RECEIVE) =>
    eventually(async () =>
      (await letters(`queue=${queue}&state=dead`)).find((each) => each['message_id'] === messageId),
    )
  const act = (operation: string, path: string) => api.ask(operation, path, admin)
  const resend = (uuid: string) => act('POST /dead/{uuid}/resend', `/dead/${uuid}/resend`)

  async function cli(...argv: string[]) {
    let out = ''
    const errors: string[] = []
    const write = async (text: string) => {
      out += text
    }
    const complain = (line: string) => errors.push(line)
    const code = await runCli({
      argv,
      env: site.env,
      home: '/nowhere',
      log,
      output: { write },
      complain,
    })
    return { code, out, errors }
  }

  test('an event in any form that POST /receive takes is stored as it came, and once when it comes twice', async () => {
    const [old, structured, first, second, binary] = Array.from({ length: 5 }, () => randomUUID())
    const v01 = { cloudEventsVersion: '0.1', eventType: 't', source: '/s', eventID: old, data: [1] }
    const attributes = { specversion: '1.0', type: 't', source: '/s?%25', id: binary }
    const headers = Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [`cloudEvents:${name}`, value]),
    )
    await publish(JSON.stringify(v01))
    await publish(anEvent(structured), { contentType: 'application/cloudevents+json' })
    await publish(anEvent(structured), {
      contentType: 'application/json',
      contentEncoding: 'utf-8',
    })
    await publish(`[${anEvent(first)},${anEvent(second)}]`, {
      contentType: 'application/cloudevents-batch+json',
    })
    await publish('hello', { contentType: 'text/plain', headers })
    expect(await eventWith(old ?? '')).toEqual(v01)
    for (const id of [structured, first, second])
      expect(await eventWith(id ?? '')).toEqual(JSON.parse(anEvent(id)))
    expect(await eventWith(binary ?? '')).toEqual({
      ...attributes,
      ...{ datacontenttype: 'text/plain', data: 'hello' },
    })
  })

  test('poison is a dead letter with its reason, and what follows it passes; sent again it dies again', async () => {
    const after = randomUUID()
    await publish('{"specversion": "1.0"}', { messageId: 'poison', headers: { a: 'b' } })
    await publish(anEvent(after))
    await eventWith(after)
    const letter = await letterOf('poison')
    expect(letter).toMatchObject({
      ...{ queue: RECEIVE, reason: 'rejected', state: 'dead', deaths: 1, bytes: 22 },
      why: 'it holds no event: "type" is missing; a non-empty string is required',
    })
    const opened = await act('GET /dead/{uuid}', `/dead/${letter.uuid}`)
    expect(await opened.json()).toMatchObject({
      ...{ body: '{"specversion": "1.0"}', body_base64: null, body_truncated: false },
      headers: { a: 'b' },
    })
    const resent = await resend(letter.uuid)
    expect(await resent.json()).toMatchObject({ state: 'resent', settled_by: 'root' })
    expect((await resend(letter.uuid)).status).toBe(409)
    const again = await letterOf('poison')
    expect(again.uuid).not.toBe(letter.uuid)
    const dismissed = await act('DELETE /dead/{uuid}', `/dead/${again.uuid}`)
    expect(await dismissed.json()).toMatchObject({ state: 'dismissed' })
    expect(await letters(`queue=${RECEIVE}&state=dead`)).toEqual([])
    expect(await letters('limit=1000')).toHaveLength(2)
  })

  test('what is no text is shown as base64', async () => {
    channel.sendToQueue(RECEIVE, Buffer.from([0xff, 0xfe]), { messageId: 'bytes' })
    const { uuid } = await letterOf('bytes')
    const opened = await act('GET /dead/{uuid}', `/dead/${uuid}`)
    expect(await opened.json()).toMatchObject({ body: null, body_base64: '//4=' })
  })

  test('a dispatch goes back to its dispatcher as the same delivery; without its queue it stays', async () => {
    const seen: DispatchMessage[] = []
    const consumer = await dispatcher.consume('moody', async (message) => {
      seen.push(message)
      if (seen.length === 1) throw new UnreadableDispatchError('not today')
    })
    await dispatcher.publish('moody', dispatch, { timeoutMs: PATIENCE })
    const letter = await letterOf(dispatch.deliveryId, 'pacifica.dispatch.moody')
    expect(letter).toMatchObject({ exchange: 'pacifica.dispatch', routing_key: 'moody' })
    expect((await resend(letter.uuid)).status).toBe(200)
    await eventually(async () => seen[1])
    expect(seen).toEqual([dispatch, { ...dispatch, letter: letter.uuid }])
    await consumer.stop()

    await dispatcher.publish('moody', { ...dispatch, replay: 3 }, { timeoutMs: PATIENCE })
    const burying = await dispatcher.consume('moody', () =>
      Promise.reject(new UnreadableDispatchError('never')),
    )
    const second = await letterOf(dispatch.deliveryId, 'pacifica.dispatch.moody')
    await burying.stop()
    await channel.deleteQueue('pacifica.dispatch.moody')
    const refused = await resend(second.uuid)
    expect(refused.status).toBe(409)
    expect(await refused.json()).toMatchObject({
      message: expect.stringMatching(/no queue 'pacifica.dispatch.moody'. It stays/),
    })
    expect((await letterOf(dispatch.deliveryId, 'pacifica.dispatch.moody')).uuid).toBe(second.uuid)
  })

  test('dead letters are for administrators, and what is asked wrongly is told', async () => {
    const ann = { headers: { 'http-remote-user': 'ann' } }
    const unknown = `/dead/${randomUUID()}`
    expect((await api.ask('GET /dead', '/dead', ann)).status).toBe(403)
    expect((await api.ask('GET /dead/{uuid}', unknown, ann)).status).toBe(403)
    expect((await api.ask('POST /dead/{uuid}/resend', `${unknown}/resend`, ann)).status).toBe(403)
    expect((await api.ask('DELETE /dead/{uuid}', unknown, ann)).status).toBe(403)
    expect((await act('GET /dead/{uuid}', unknown)).status).toBe(404)
    expect((await act('GET /dead/{uuid}', '/dead/x')).status).toBe(404)
    expect((await act('POST /dead/{uuid}/resend', `${unknown}/resend`)).status).toBe(404)
    expect((await act('DELETE /dead/{uuid}', unknown)).status).toBe(404)
    for (const query of [
      'state=x',
      'cursor=x',
      'since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z',
    ])
      expect((await act('GET /dead', `/dead?${query}`)).status).toBe(400)
  })

  test('pages of dead letters follow their links', async () => {
    for (const id of ['p1', 'p2', 'p3']) await publish('no', { messageId: id })
    for (const id of ['p1', 'p2', 'p3']) await letterOf(id)
    const all = await letters('limit=1000')
    const answer = await api.ask('GET /dead', '/dead?limit=2', admin)
    const [, link = ''] = /^<(\?.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '') ?? []
    const first = (await answer.json()) as Letter[]
    const second = await letters(link.slice(1))
    expect([...first, ...second]).toEqual(all.slice(0, 4))
  })

  test('the command line shows dead letters, sends them again, and puts them away', async () => {
    await publish('nothing', { messageId: 'by hand' })
    const { uuid } = await letterOf('by hand')
    const listed = await cli('deadget', '--queue', RECEIVE, '--limit', '1000')
    expect(listed).toMatchObject({ code: 0, errors: [] })
    expect(listed.out).toMatch(
      new RegExp(
        `^${uuid} - dead - \\S+ - pacifica.receive \\(rejected\\) - 7 bytes - it holds`,
        'm',
      ),
    )
    expect((await cli('deadget', uuid)).out).toMatch(/\n\{.*\}\nnothing\n$/s)
    expect(JSON.parse((await cli('deadget', uuid, '--json')).out)).toMatchObject([
      { body: 'nothing' },
    ])
    const unknown = randomUUID()
    expect(await cli('deadresend', unknown, uuid)).toEqual({
      code: 1,
      out: `${unknown} - unknown\n${uuid} - resent to ${RECEIVE}\n`,
      errors: ['1 of 2 were not sent'],
    })
    const { uuid: again } = await letterOf('by hand')
    expect(await cli('deaddismiss', again)).toEqual({
      ...{ code: 0, out: `${again} - dismissed\n`, errors: [] },
    })
    const dismissed = await cli('deadget', '--state', 'dismissed', '--json', '--limit', '1000')
    expect(JSON.parse(dismissed.out)).toContainEqual(expect.objectContaining({ uuid: again }))
  })

  test('the command line sends all letters of a queue again', async () => {
    await channel.assertQueue('theirs', { autoDelete: true })
    const death = { queue: 'theirs', reason: 'expired', count: 1 }
    for (const body of ['one', 'two'])
      channel.sendToQueue('pacifica.dead', Buffer.from(body), {
        headers: { 'x-death': [death] },
      })
    await eventually(async () => ((await letters('queue=theirs')).length === 2 ? true : undefined))
    const { code, out } = await cli('deadresend', '--queue', 'theirs')
    expect([code, out.match(/ - resent to theirs\n/g)]).toEqual([
      0,
      Array(2).fill(' - resent to theirs\n'),
    ])
    const bodies = new Set<string>()
    await channel.consume('theirs', (message) => bodies.add(String(message?.content)), {
      noAck: true,
    })
    await eventually(async () => (bodies.size === 2 ? true : undefined))
    expect(await cli('deadresend', '--queue', 'theirs')).toEqual({ code: 0, out: '', errors: [] })
  })
})
