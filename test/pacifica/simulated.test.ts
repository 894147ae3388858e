/** The simulated services, held to what the real ones do on the wire. */
import { buffer } from 'node:stream/consumers'
import { extract } from 'tar-stream'
import { afterEach, expect, test } from 'vitest'
import { startCartd } from './cartd.ts'
import { startIngest } from './ingest.ts'
import type { Listening } from './listening.ts'
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
