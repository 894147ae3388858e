/** POST /receive on both engines: every form, every refusal, and what is stored. */
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { Event } from '@pacifica/core'
import {
  createHealth,
  createHttpApp,
  createMetrics,
  type HttpApp,
  type Metrics,
} from '@pacifica/platform'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  ENGINES,
  type MigratedDatabase,
  openMigrated,
  silentLog,
} from '../../../../test/harness/index.ts'
import { errorTable } from '../api.ts'
import { createReceiveGuard, type ReceiveGuard } from '../identity/index.ts'
import { eventStore } from './event-store.ts'
import { acceptMetrics } from './metrics.ts'
import { receiver } from './receive.ts'
import { receiveRoutes } from './routes.ts'
import { openSpool, type Spool } from './spool/spool.ts'

const MiB = 1024 * 1024
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const group = { waitMs: 2, maxEvents: 500, maxBytes: 16 * MiB, commitMs: 15_000 }

describe.each(ENGINES)('on the %s engine', (engine) => {
  let home: MigratedDatabase
  let folder: string
  let spool: Spool
  let app: HttpApp
  let metrics: Metrics

  beforeAll(async () => {
    home = await openMigrated(engine, 'notifications')
  }, 300_000)
  afterAll(() => home?.close())

  const serve = async (guard: ReceiveGuard = () => {}, bodyLimit = 32 * MiB) => {
    metrics = createMetrics()
    const counts = acceptMetrics(metrics)
    const served = await createHttpApp(
      { log: silentLog, metrics, health: createHealth() },
      { title: 't', version: '1', description: 't', bodyLimit, errors: errorTable },
    )
    const accepting = receiver(
      {
        store: eventStore({ sql: home.database }),
        spool,
        availability: {
          ...{ away: false, lost() {}, suspect() {}, working() {}, onBack() {} },
        },
        log: silentLog,
      },
      group,
    )
    served.addHook('onClose', () => accepting.close())
    const needs = { receiver: accepting, guard, acceptMetrics: counts }
    await receiveRoutes(served, needs, { maxBody: bodyLimit })
    return served
  }
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pacifica-receive-'))
    spool = openSpool({ log: silentLog }, { folder, maxBytes: MiB, group })
    app = await serve()
  })
  afterEach(async () => {
    await app.close()
    await spool.close()
    await rm(folder, { recursive: true, force: true })
  })

  const post = (payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    app.inject({ method: 'POST', url: '/receive', headers, payload })
  const stored = async (uuid: string) => {
    const found = await home.database.query<{ jsondata: string; spec_version: string }>(
      'SELECT jsondata, spec_version, event_type FROM eventlog WHERE uuid = $1',
      [uuid],
    )
    return found[0]
  }
  const counted = async (name: string) =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(name) && !/ 0$/.test(line))

  test.each([
    ['application/json', JSON_TYPE],
    ['JSON with a charset', { 'content-type': 'application/json; charset=utf-8' }],
    [
      'a CloudEvent with a charset',
      { 'content-type': 'application/cloudevents+json; charset=UTF-8' },
    ],
    ['no Content-Type', {}],
  ])('%s is answered 200 with the bare id of the stored event', async (_, headers) => {
    for (const text of [v01(), v10()]) {
      const answer = await post(text, headers as Record<string, string>)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers['content-type']).toMatch(/^text\/plain/)
      expect(answer.body).toMatch(UUID)
      expect((await stored(answer.body))?.jsondata).toBe(text)
    }
  })

  test('a trailing slash makes no difference', async () => {
    const url = '/receive/'
    const answer = await app.inject({ method: 'POST', url, headers: JSON_TYPE, payload: v01() })
    expect([answer.statusCode, answer.body]).toEqual([200, expect.stringMatching(UUID)])
  })

  test('binary mode is stored as the 1.0 event that its headers and body are', async () => {
    const id = randomUUID()
    const headers = { 'ce-specversion': '1.0', 'ce-type': 't', 'ce-source': '/s', 'ce-id': id }
    const answer = await post('{"n": 1.0}', { ...JSON_TYPE, ...headers })
    const row = await stored(answer.body)
    expect(row).toMatchObject({ spec_version: '1.0', event_type: 't' })
    expect(row?.jsondata).toContain('"data": {"n": 1.0}')
    expect(await counted('pacifica_events_accepted_total')).toEqual([
      'pacifica_events_accepted_total{spec_version="1.0",form="binary"} 1',
    ])
  })

  test('a batch is answered with one id a line, in the order of its events', async () => {
    const texts = [v01(), v10(), v01()]
    const type = { 'content-type': 'application/cloudevents-batch+json' }
    const answer = await post(`[${texts.join(' , ')}]`, type)
    const uuids = answer.body.split('\n')
    expect(await Promise.all(uuids.map(async (uuid) => (await stored(uuid))?.jsondata))).toEqual(
      texts,
    )
    const bad = await post(`[${v01()}, {"specversion": "1.0"}]`, type)
    expect([bad.statusCode, bad.json().message]).toEqual([
      400,
      expect.stringContaining('event 2 of the batch'),
    ])
  })

  test.each([
    ['numbers that JavaScript would change', '{"a": 1.0, "b": 1e400, "c": 12345678901234567890}'],
    ['duplicate keys, in their order', '{"z": 1, "a": 2, "z": 3}'],
    ['escapes and letters', String.raw`"caf\u00e9 é \ud83d\ude00 😀 \/ \ud800 \u0000"`],
    ['white space', '[ 1 ,\t2 , {  } ]'],
  ])('what is stored is byte for byte what came: %s', async (_, data) => {
    const text = ` {"data": ${data}, "source": "/s" , "cloudEventsVersion":"0.1","eventType":"t",\r\n"eventID":"${randomUUID()}"}\n`
    const answer = await post(text)
    expect((await stored(answer.body))?.jsondata).toBe(text)
  })

  test('the same event again is answered with the first id, also at the same time', async () => {
    const text = v01()
    const first = await post(text)
    const again = await Promise.all([post(text), post(text), post(text)])
    expect(again.map(({ body }) => body)).toEqual([first.body, first.body, first.body])
    expect(await counted('pacifica_events_repeated_total')).toEqual([
      'pacifica_events_repeated_total 3',
    ])
  })

  test('of a group each event gets its own answer: new, repeated or colliding, before it or within it', async () => {
    const store = eventStore({ sql: home.database })
    const [known, taken, id] = [v01(), randomUUID(), randomUUID()]
    const earlier = await store.insert([known, v01({ id: taken })].map((text) => Event.parse(text)))
    const fresh = v01()
    const texts = [
      ...[fresh, known, v01({ id: taken, n: 2 }), fresh],
      ...[v01({ id }), v01({ id, n: 2 }), v01()],
    ]
    const uuids = texts.map(() => randomUUID())
    const [knownUuid, takenUuid] = earlier.map(({ uuid }) => uuid)
    const group = texts.map((text) => Event.parse(text))
    expect(await store.insert(group, uuids)).toEqual([
      { uuid: uuids[0], repeated: false },
      { uuid: knownUuid, repeated: true },
      { uuid: uuids[2], repeated: false, collidesWith: takenUuid },
      { uuid: uuids[0], repeated: true },
      { uuid: uuids[4], repeated: false },
      { uuid: uuids[5], repeated: false, collidesWith: uuids[4] },
      { uuid: uuids[6], repeated: false },
    ])
    expect((await stored(uuids[2] ?? ''))?.jsondata).toBe(texts[2])
    const again = await store.insert(group)
    expect(again.map(({ repeated }) => repeated)).toEqual(texts.map(() => true))
  })

  test('the same source and id with another body is a new event, and counted', async () => {
    const id = randomUUID()
    const together = await Promise.all([post(v01({ id, n: 1 })), post(v01({ id, n: 2 }))])
    const later = await post(v01({ id, n: 3 }))
    const uuids = [...together, later].map(({ body }) => body)
    expect(new Set(uuids).size).toBe(3)
    expect(await counted('pacifica_events_collided_total')).toEqual([
      'pacifica_events_collided_total 2',
    ])
    await post(v01())
    expect(await counted('pacifica_events_collided_total')).toEqual([
      'pacifica_events_collided_total 2',
    ])
  })

  test.each([
    ['a number', '5', 'must be a JSON object, not a number'],
    ['a list', '[]', 'must be a JSON object, not a list'],
    ['NaN', 'NaN', 'is not JSON'],
    ['nothing', '', 'is empty'],
    ['half an event', '{"cloudEventsVersion":', 'is not JSON'],
    ['no version', '{"eventType": "t"}', 'cloudEventsVersion'],
    ['no id', v01().replace('eventID', 'eventid'), '"eventID" is missing'],
    ['an empty type', v01().replace('"t"', '""'), '"eventType" is an empty string'],
    ['a NUL', v01().replace('"t"', '"t\0"'), 'NUL'],
    ['a NUL as an escape', v01().replace('"t"', '"t\\u0000"'), 'NUL'],
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'UTF-8'],
    ['a byte order mark', `\uFEFF${v01()}`, 'byte order mark'],
    ['another CloudEvents version', v10().replace('"1.0"', '"2.0"'), 'specversion'],
    ['a million brackets', '['.repeat(1_000_000), 'nested'],
  ])('%s is 400 with the reason', async (_, body, reason) => {
    const answer = await post(body)
    expect(answer.json()).toMatchObject({
      status: '400 Bad Request',
      message: expect.stringContaining(reason),
      traceback: '',
      code: 'EVENT_FORMAT',
    })
  })

  test.each([
    ['text/plain', { 'content-type': 'text/plain' }, 'text/plain'],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }, 'form-urlencoded'],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }, 'latin1'],
    ['Avro', { 'content-type': 'application/cloudevents+avro' }, 'cloudevents+avro'],
    ['no media type at all', { 'content-type': 'nonsense' }, 'nonsense'],
    ['gzip', { ...JSON_TYPE, 'content-encoding': 'gzip' }, 'Content-Encoding gzip'],
  ])('%s is 415 and says so', async (_, headers, said) => {
    const body = 'content-encoding' in headers ? gzipSync(v01()) : v01()
    const answer = await post(body, headers as Record<string, string>)
    expect([answer.statusCode, answer.json().message]).toEqual([415, expect.stringContaining(said)])
    expect(await counted('pacifica_receive_refused_total')).toEqual([
      'pacifica_receive_refused_total{status="415"} 1',
    ])
  })

  test('a body beyond MAX_BODY is 413 with the limit, one just within it is taken', async () => {
    const text = v01()
    await app.close()
    app = await serve(() => {}, text.length)
    expect((await post(text)).statusCode).toBe(200)
    const answer = await post(`${text} `)
    expect([answer.statusCode, answer.json().message]).toEqual([
      413,
      `the body is larger than ${text.length} bytes, which is what MAX_BODY allows here`,
    ])
    expect((await app.inject({ method: 'GET', url: '/receive' })).statusCode).toBe(405)
  })

  test('with RECEIVE_AUTH only a known credential is let in, before the body is looked at', async () => {
    await app.close()
    app = await serve(
      createReceiveGuard({
        credentials: [
          { scheme: 'basic', user: 'metadata', password: 'pä:ss' },
          { scheme: 'bearer', token: 'tok-123456' },
        ],
      }),
      1_000,
    )
    const basic = (text: string) => `Basic ${Buffer.from(text).toString('base64')}`
    for (const authorization of [basic('metadata:pä:ss'), 'Bearer tok-123456'])
      expect((await post(v01(), { ...JSON_TYPE, authorization })).statusCode).toBe(200)
    for (const authorization of ['', basic('metadata:no'), 'Bearer tok', 'Digest x']) {
      const answer = await post('x'.repeat(2_000), { ...JSON_TYPE, authorization })
      expect(answer.statusCode).toBe(401)
      expect(answer.headers['www-authenticate']).toMatch(/^Basic realm=.*Bearer/)
      expect(answer.json()).toMatchObject({ status: '401 Unauthorized' })
    }
  })

  test('an event of 20 MB that names 100 000 files is taken', async () => {
    const subdir = 'd'.repeat(90)
    const files = Array.from({ length: 100_000 }, (_, n) => {
      const [name, hashsum] = [`file-${n}.txt`, `${n}`.padStart(40, '0')]
      return `{"destinationTable": "Files", "_id": ${n}, "name": "${name}", "subdir": "${subdir}", "hashsum": "${hashsum}"}`
    })
    const text = v01().replace('[1]', `[${files.join(',')}]`)
    expect(text.length).toBeGreaterThan(20_000_000)
    const answer = await post(text)
    expect(answer.statusCode).toBe(200)
    expect((await stored(answer.body))?.jsondata === text).toBe(true)
  })

  test('source, id and type may be as long as the body', async () => {
    const long = 'ä'.repeat(20_000)
    const text = v01({ id: `${randomUUID()}${long}` }).replace('"t"', `"${long}"`)
    const answer = await post(text)
    expect([answer.statusCode, (await post(text)).body]).toEqual([200, answer.body])
    expect((await post(`${text} `)).body).not.toBe(answer.body)
    expect(await counted('pacifica_events_collided_total')).toHaveLength(1)
  })
})

const JSON_TYPE = { 'content-type': 'application/json' }

function v01({ id = randomUUID() as string, n = 1 } = {}): string {
  return `{"cloudEventsVersion": "0.1", "eventType": "t", "source": "/s", "eventID": "${id}", "data": [${n}]}`
}

function v10(): string {
  return `{"specversion": "1.0", "type": "t", "source": "/s", "id": "${randomUUID()}"}`
}
