/** The simulated services, held to what the real ones do on the wire. */
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterEach, expect, test } from 'vitest'
import { startCartd } from './cartd.ts'
import { startIngest } from './ingest.ts'
import { type Listening, listenOn, readBody } from './listening.ts'
import { startPacifica } from './start.ts'
import { tarOf } from './tar.ts'

const servers: Listening[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()))
})

const FILE = { id: 34, path: 'a/b/foo.txt', hashtype: 'sha1', hashsum: 'f1d2' }

async function cartd(stagingMs = 0) {
  const files = [{ id: 34, path: 'a/b/foo.txt', content: Buffer.from('foo') }]
  const server = await startCartd(files, { faults: () => ({ stagingMs }) })
  servers.push(server)
  const call = (method: string, path: string, body?: unknown) =>
    fetch(server.url + path, { method, ...(body ? { body: JSON.stringify(body) } : {}) })
  return call
}

test('a cart is ordered, asked for, fetched and deleted', async () => {
  const call = await cartd()
  expect((await call('POST', '/c1', { fileids: [{ ...FILE, path: '/a/b/foo.txt' }] })).status).toBe(
    201,
  )
  const head = await call('HEAD', '/c1')
  expect([head.status, head.headers.get('x-pacifica-status')]).toEqual([204, 'ready'])
  const get = await call('GET', '/c1?filename=data')
  expect([get.status, get.headers.get('transfer-encoding')]).toEqual([200, 'chunked'])
  const archive = extract()
  archive.end(Buffer.from(await get.arrayBuffer()))
  const members: string[] = []
  for await (const entry of archive) {
    const bytes = await buffer(entry as AsyncIterable<Buffer>)
    members.push(`${entry.header.type} ${entry.header.name} ${bytes}`)
  }
  expect(members).toEqual([
    'directory data/ ',
    'directory data/a/ ',
    'directory data/a/b/ ',
    'file data/a/b/foo.txt foo',
  ])
  expect((await call('DELETE', '/c1')).status).toBe(200)
  for (const method of ['DELETE', 'HEAD', 'GET']) {
    expect((await call(method, '/c1')).status, method).toBe(404)
  }
})

test('a cart that is not ready says where it is, and GET says 202', async () => {
  const call = await cartd(60_000)
  await call('POST', '/c1', { fileids: [FILE] })
  const head = await call('HEAD', '/c1')
  expect([head.status, head.headers.get('x-pacifica-status')]).toEqual([204, 'waiting'])
  expect((await call('GET', '/c1?filename=data')).status).toBe(202)
})

test('a failed cart is 500 with the reason in a header, and 202 for ever', async () => {
  const call = await cartd()
  await call('POST', '/c1', { fileids: [{ ...FILE, id: 99 }] })
  const head = await call('HEAD', '/c1')
  expect(head.status).toBe(500)
  expect(head.headers.get('x-pacifica-status')).toBe('error')
  expect(head.headers.get('x-pacifica-message')).toContain('99')
  const get = await call('GET', '/c1?filename=data')
  expect([get.status, await get.text()]).toEqual([202, 'The cart is not ready for download.'])
})

test('an empty cart is staged for ever, and a file without all its keys is refused', async () => {
  const call = await cartd()
  expect((await call('POST', '/c1', { fileids: [] })).status).toBe(201)
  expect((await call('HEAD', '/c1')).headers.get('x-pacifica-status')).toBe('staging')
  for (const key of ['id', 'path', 'hashtype', 'hashsum']) {
    const { status } = await call('POST', '/c2', { fileids: [{ ...FILE, [key]: undefined }] })
    expect(status, key).toBe(400)
  }
})

async function ingest() {
  const server = await startIngest()
  servers.push(server)
  return async (body: Buffer) => {
    const answer = await fetch(`${server.url}/upload`, { method: 'POST', body })
    const job = (await answer.json()) as { job_id: number }
    const state = await fetch(`${server.url}/get_state?job_id=${job.job_id}`)
    return { job, state: (await state.json()) as Record<string, unknown>, url: server.url }
  }
}

const SHA1_OF_FOO = '0beec7b5ea3f0fdbc95d0dd47f3c5bc275da8a33'
const metadata = (hashsum: string, name = 'foo.txt') =>
  Buffer.from(JSON.stringify([{ destinationTable: 'Files', subdir: 'a', name, hashsum }]))
const FOO = { name: 'data/a/foo.txt', content: Buffer.from('foo') }

test.each(['pax', 'gnu'] as const)(
  'a bundle in %s format becomes a transaction',
  async (format) => {
    const send = await ingest()
    const good = tarOf([FOO, { name: 'metadata.txt', content: metadata(SHA1_OF_FOO) }], format)
    const { job, state } = await send(good)
    expect(job).toEqual({
      job_id: 2,
      state: 'OK',
      task: 'UPLOADING',
      task_percent: '0.00000',
      complete: false,
      updated: expect.any(String),
      created: expect.any(String),
      exception: '',
    })
    expect(state).toMatchObject({ state: 'OK', task: 'ingest metadata', task_percent: '100.00000' })
  },
)

test.each([
  ['gzip', Buffer.from('1f8b0800000000000003', 'hex'), 'open tar'],
  ['without metadata', tarOf([FOO]), 'load metadata'],
  ['with bad JSON', tarOf([{ name: 'metadata.txt', content: Buffer.from('{') }]), 'load metadata'],
  [
    'with another hash',
    tarOf([FOO, { name: 'metadata.txt', content: metadata('abcd') }]),
    'ingest files',
  ],
  [
    'without a file that it names',
    tarOf([FOO, { name: 'metadata.txt', content: metadata(SHA1_OF_FOO, 'bar.txt') }]),
    'ingest files',
  ],
])('a bundle %s fails at %3$s', async (_what, body, task) => {
  const { state } = await (await ingest())(body)
  expect(state).toMatchObject({ state: 'FAILED', task })
  expect(state['exception']).toMatch(/^Traceback/)
})

test('a job that nobody has is 404', async () => {
  const { url } = await (await ingest())(tarOf([]))
  expect((await fetch(`${url}/get_state?job_id=99`)).status).toBe(404)
})

/** A bundle with one file, and these key-values on its transaction. */
function bundleWith(keyValues: Readonly<Record<string, string>>): Buffer {
  const attributes = { submitter: 10, project: '1234é', instrument: 54 }
  const metadata = [
    ...Object.entries(attributes).map(([name, value]) => ({
      destinationTable: `Transactions.${name}`,
      value,
    })),
    ...Object.entries(keyValues).map(([key, value]) => ({
      destinationTable: 'TransactionKeyValue',
      key,
      value,
    })),
    {
      destinationTable: 'Files',
      name: 'foo.txt',
      subdir: 'a',
      size: 3,
      hashtype: 'sha1',
      hashsum: SHA1_OF_FOO,
      mimetype: 'text/plain',
      ctime: '2018-08-30T15:19:40',
      mtime: '2018-08-30T15:19:40',
    },
  ]
  return tarOf([FOO, { name: 'metadata.txt', content: Buffer.from(JSON.stringify(metadata)) }])
}

/** All four services, and somebody who is told of what Metadata gets; answers as `answers` says. */
async function site(answers = 200) {
  const told: string[] = []
  const listener = await listenOn(
    createServer(async (request, response) => {
      told.push(await readBody(request))
      response.writeHead(answers).end('5f3c')
    }),
  )
  const pacifica = await startPacifica({ nextTransaction: 67, nextFile: 34 })
  servers.push(pacifica.cartd, pacifica.ingest, pacifica.metadata, pacifica.policy, listener)
  pacifica.metadata.notify(listener.url)
  const { cartd, ingest, metadata } = pacifica
  const get = async (url: string) => (await fetch(url)).json() as Promise<unknown>
  return {
    ...pacifica,
    told,
    ask: (path: string) => get(metadata.url + path),
    /** Resolves to the state in which the job ends. */
    async upload(bundle: Buffer) {
      const answer = await fetch(`${ingest.url}/upload`, { method: 'POST', body: bundle })
      const { job_id } = (await answer.json()) as { job_id: number }
      for (;;) {
        const state = await get(`${ingest.url}/get_state?job_id=${job_id}`)
        const { complete, state: word } = state as { complete: boolean; state: string }
        if (complete || word === 'FAILED') return state as Record<string, unknown>
        await new Promise((resolve) => setTimeout(resolve, 5))
      }
    },
    async fetchFile(id: number, path: string) {
      const fileids = [{ ...FILE, id, path }]
      await fetch(`${cartd.url}/c1`, { method: 'POST', body: JSON.stringify({ fileids }) })
      return Buffer.from(await (await fetch(`${cartd.url}/c1?filename=data`)).arrayBuffer())
    },
  }
}

test('what Ingest takes becomes a transaction, of which Metadata tells once, and Cartd has its files', async () => {
  const { upload, told, metadata, ask, fetchFile } = await site()
  expect(await upload(bundleWith({ Tag: 'Blah', task: 'T-1' }))).toMatchObject({ state: 'OK' })
  await upload(bundleWith({ Tag: 'Blah' }))
  expect(told.map((text) => JSON.parse(text).eventID)).toEqual([
    'metadata.ingest.67',
    'metadata.ingest.68',
  ])
  expect(JSON.parse(told[0] ?? '')).toMatchObject({
    cloudEventsVersion: '0.1',
    eventType: 'org.pacifica.metadata.ingest',
    source: 'http://metadata.pacifica.org/transactions?_id=67',
    eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/),
    extensions: {},
    contentType: 'application/json',
  })
  const { data } = JSON.parse(told[0] ?? '')
  expect(data).toContainEqual(expect.objectContaining({ _id: 34, name: 'foo.txt', subdir: 'a' }))
  expect(data.at(-1)).toEqual({ destinationTable: 'Transactions._id', value: 67 })
  expect(metadata.announced.map(({ status, answer }) => [status, answer])).toEqual([
    [200, '5f3c'],
    [200, '5f3c'],
  ])
  expect((await fetchFile(35, 'a/foo.txt')).includes('foo')).toBe(true)

  expect(await ask('/tkvinfo/kv_for_transaction/67')).toEqual({ Tag: 'Blah', task: 'T-1' })
  expect(await ask('/tkvinfo/kv_for_transaction/99')).toEqual({})
  expect(await ask('/tkvinfo/values_for_key/Tag')).toEqual({ Blah: [67, 68] })
  expect(await ask('/tkvinfo/values_for_key/task')).toEqual({ 'T-1': [67] })
  expect(await ask('/fileinfo/files_for_keyvalue/TASK/T-1')).toEqual([
    expect.objectContaining({ _id: 34, transaction: 67 }),
  ])
  expect(await ask('/fileinfo/files_for_keyvalue/task/T-2')).toEqual([])
})

test('an event that nobody took is not sent again', async () => {
  const { upload, told, metadata } = await site(503)
  expect(await upload(bundleWith({}))).toMatchObject({ state: 'OK' })
  expect(told).toHaveLength(1)
  expect(metadata.announced).toEqual([expect.objectContaining({ status: 503, transaction: 67 })])
  expect(metadata.transactions.has(67)).toBe(true)
})

test.each([
  ['that Metadata refuses', 'a', { refuses: 500 }, 'HTTPError: 500'],
  ['whose key-value has more than 255 characters', 'x'.repeat(256), {}, 'varying(255)'],
  ['while Metadata hangs up', 'a', { resets: true }, 'ConnectionError'],
])('a bundle %s fails at "ingest metadata"', async (_what, value, faults, reason) => {
  const pacifica = await site()
  pacifica.faults.metadata = faults
  expect(await pacifica.upload(bundleWith({ Tag: value }))).toMatchObject({
    state: 'FAILED',
    task: 'ingest metadata',
    exception: expect.stringContaining(reason),
  })
  expect(pacifica.told).toEqual([])
})
