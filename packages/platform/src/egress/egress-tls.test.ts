import { createServer as createHttpServer, request as httpRequest } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { authority } from '../../../../test/harness/index.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const ca = authority('Pacifica test CA')
const stranger = authority('Another CA')
const request = { headers: {}, body: '{}', timeoutMs: 30_000 }

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  closing.push(() => new Promise((resolve) => server.close(resolve)))
  return (server.address() as AddressInfo).port
}

/** An https server for hook.test; `names` collects the TLS server names and Host headers that it saw. */
async function httpsTarget(issuer = ca): Promise<{ port: number; names: unknown[] }> {
  const names: unknown[] = []
  const server = createHttpsServer(issuer.certificateFor('hook.test'), (incoming, reply) => {
    names.push((incoming.socket as { servername?: string }).servername, incoming.headers.host)
    reply.end('secured')
  })
  return { port: await listen(server), names }
}

function client(options: Partial<EgressOptions> = {}): Egress {
  const egress = createEgress(
    { log: { warn: () => undefined } },
    {
      allow: ['127.0.0.0/8'],
      deny: [],
      userAgent: 'pacifica-test/1',
      ca: ca.pem,
      resolve: async () => [{ address: '127.0.0.1', family: 4 }],
      ...options,
    },
  )
  closing.push(() => egress.close())
  return egress
}

test('a custom CA is trusted; the pinned connection keeps its name for TLS and Host', async () => {
  const { port, names } = await httpsTarget()
  const outcome = await client().post(`https://hook.test:${port}/`, request)
  expect(outcome).toMatchObject({ kind: 'response', status: 200, body: 'secured' })
  expect(names).toEqual(['hook.test', `hook.test:${port}`])
})

test('a certificate of an unknown CA, or for another name, is not accepted', async () => {
  const unknown = await httpsTarget(stranger)
  const ours = await httpsTarget()
  const attempts = [`https://hook.test:${unknown.port}/`, `https://other.test:${ours.port}/`]
  for (const url of attempts) {
    expect(await client().post(url, request)).toMatchObject({
      kind: 'failed',
      reason: expect.stringMatching(/^the TLS certificate of .*\.test:\d+ is not accepted \(/),
    })
  }
  expect([...unknown.names, ...ours.names]).toEqual([])
})

test('TLS with a server that speaks none is a failure', async () => {
  const port = await listen(
    createServer((socket) =>
      socket
        .on('error', () => undefined)
        .resume()
        .end('HTTP/1.1 400 No\r\n\r\n'),
    ),
  )
  expect(await client().post(`https://hook.test:${port}/`, request)).toMatchObject({
    kind: 'failed',
    reason: expect.stringContaining('no TLS with hook.test'),
  })
})

/** A proxy for both kinds of request. It sends every name to 127.0.0.1, as if that were what it looked up. */
async function proxy(status = 200): Promise<{ url: URL; lines: string[] }> {
  const lines: string[] = []
  const server = createHttpServer((incoming, reply) => {
    lines.push(`${incoming.method} ${incoming.url} ${incoming.headers['proxy-authorization']}`)
    if (status !== 200) return void reply.writeHead(status).end()
    const { port, pathname } = new URL(incoming.url ?? '')
    const { host } = incoming.headers
    const onward = { port, path: pathname, method: incoming.method, headers: { host } }
    incoming.pipe(
      httpRequest(onward, (answer) => answer.pipe(reply.writeHead(answer.statusCode ?? 0))),
    )
  })
  server.on('connect', (incoming, socket) => {
    lines.push(`CONNECT ${incoming.url} ${incoming.headers['proxy-authorization']}`)
    if (status !== 200) return void socket.end(`HTTP/1.1 ${status} No\r\n\r\n`)
    const onward = connect(Number(incoming.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    onward.on('error', () => socket.destroy())
    socket.on('error', () => onward.destroy()).on('close', () => onward.destroy())
  })
  const port = await listen(server)
  closing.push(async () => server.closeAllConnections())
  return { url: new URL(`http://me:pa%24s@127.0.0.1:${port}`), lines }
}

const credentials = `Basic ${Buffer.from('me:pa$s').toString('base64')}`
const noLookup = () => Promise.reject(new Error('the proxy looks names up'))

test('https goes through the proxy by CONNECT, checked against the CA', async () => {
  const { url, lines } = await proxy()
  const { port, names } = await httpsTarget()
  const egress = client({ proxy: url, resolve: noLookup, allow: [] })
  expect(await egress.post(`https://hook.test:${port}/`, request)).toMatchObject({
    body: 'secured',
  })
  expect(lines).toEqual([`CONNECT hook.test:${port} ${credentials}`])
  expect(names).toEqual(['hook.test', `hook.test:${port}`])
})

test('http goes through the proxy as a proxy request', async () => {
  const { url, lines } = await proxy()
  const port = await listen(
    createHttpServer((incoming, reply) => reply.end(`for ${incoming.headers.host}`)),
  )
  const egress = client({ proxy: url, resolve: noLookup, allow: [] })
  expect(await egress.post(`http://hook.test:${port}/path`, request)).toMatchObject({
    status: 200,
    body: `for hook.test:${port}`,
  })
  expect(lines).toEqual([`POST http://hook.test:${port}/path ${credentials}`])
})

test('through the proxy, literal addresses and localhost are still refused', async () => {
  const { url, lines } = await proxy()
  const egress = client({ proxy: url, allow: [] })
  for (const host of ['127.0.0.1', '169.254.169.254', '[::ffff:10.0.0.1]', 'localhost'])
    expect(await egress.post(`http://${host}/`, request)).toMatchObject({ kind: 'forbidden' })
  expect(lines).toEqual([])
})

test.each([403, 407])(
  'a proxy that answers %i to CONNECT is a failure that says so',
  async (status) => {
    const { url } = await proxy(status)
    const egress = client({ proxy: url })
    expect(await egress.post('https://hook.test/', request)).toMatchObject({
      kind: 'failed',
      reason: `the outbound proxy refused to connect to hook.test (HTTP ${status})`,
    })
  },
)

test('a proxy that wants other credentials is a failure for http too', async () => {
  const { url } = await proxy(407)
  expect(await client({ proxy: url }).post('http://hook.test/', request)).toMatchObject({
    kind: 'failed',
    reason: 'the outbound proxy refused to connect to hook.test (HTTP 407)',
  })
})

test('a proxy that is away is a failure that names its address', async () => {
  const { url } = await proxy()
  for (const close of closing.splice(0).reverse()) await close()
  expect(await client({ proxy: url }).post('https://hook.test/', request)).toMatchObject({
    kind: 'failed',
    reason: `connection refused by 127.0.0.1:${url.port}`,
  })
})
