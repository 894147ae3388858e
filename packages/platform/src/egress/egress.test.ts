import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterEach, expect, test } from 'vitest'
import type { ResolvedAddress } from './connector.ts'
import { createEgress, type Egress, type EgressOptions } from './egress.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** A server of raw bytes: `talk` gets each socket once a whole request has come, and what came. */
async function target(
  talk: (socket: Socket, request: string) => unknown,
  host = '127.0.0.1',
): Promise<{ port: number; requests: string[]; connections: () => number; open: Set<Socket> }> {
  const requests: string[] = []
  const open = new Set<Socket>()
  let connections = 0
  const server: Server = createServer((socket) => {
    connections += 1
    open.add(socket.on('error', () => undefined).on('close', () => open.delete(socket)))
    let received = ''
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1])
      const head = received.indexOf('\r\n\r\n')
      if (head < 0 || received.length < head + 4 + length) return
      requests.push(received)
      talk(socket, received)
      received = ''
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  closing.push(async () => {
    for (const socket of open) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as { port: number }
  return { port, requests, connections: () => connections, open }
}

const forbiddenLog: object[] = []

function client(options: Partial<EgressOptions> = {}): Egress {
  const log = { warn: (fields: object) => forbiddenLog.push(fields) }
  const egress = createEgress(
    { log },
    { allow: ['127.0.0.0/8', '::1/128'], deny: [], userAgent: 'pacifica-test/1', ...options },
  )
  closing.push(() => egress.close())
  return egress
}

const request = {
  headers: { 'content-type': 'application/json' },
  body: '{"é":1}',
  timeoutMs: 30_000,
}
const ok = (socket: Socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
const answers =
  (...addresses: string[]) =>
  async (): Promise<ResolvedAddress[]> =>
    addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))

test('a post arrives as it was given, and its answer comes back', async () => {
  const { port, requests } = await target((socket) =>
    socket.write(
      'HTTP/1.1 503 Busy\r\nRetry-After: 7\r\nContent-Type: text/plain\r\nX-Other: 1\r\nContent-Length: 4\r\n\r\nwait',
    ),
  )
  const outcome = await client().post(`http://127.0.0.1:${port}/hook?a=b#fragment`, request)
  expect(outcome).toEqual({
    kind: 'response',
    status: 503,
    headers: { 'retry-after': '7', 'content-type': 'text/plain' },
    body: 'wait',
    truncated: false,
    durationMs: expect.any(Number),
  })
  const [head = '', body] = (requests[0] ?? '').split('\r\n\r\n')
  expect(head.split('\r\n')[0]).toBe('POST /hook?a=b HTTP/1.1')
  expect(head).toContain(`host: 127.0.0.1:${port}`)
  expect(head).toContain('user-agent: pacifica-test/1')
  expect(head).toContain('accept-encoding: identity')
  expect(head).toContain('content-type: application/json')
  expect(Buffer.from(body ?? '', 'latin1').toString()).toBe('{"é":1}')
})

test('each URL leads to its own place and is refused for its own reason, however many there are and how often', async () => {
  const { port, requests } = await target(ok)
  const egress = client()
  const different = Array.from({ length: 1_100 }, (_, n) => `/hook?n=${n}`)
  const paths = [...different, ...different.slice(0, 3)]
  for (const path of paths)
    expect(await egress.post(`http://127.0.0.1:${port}${path}`, request)).toMatchObject({
      status: 200,
    })
  expect(requests.map((one) => one.split(' ')[1])).toEqual(paths)
  for (let round = 0; round < 2; round += 1) {
    const shut = { kind: 'forbidden', reason: expect.stringContaining('10.0.0.1') }
    expect(await egress.post('http://10.0.0.1/', request)).toMatchObject(shut)
    expect(egress.check('ftp://10.0.0.1/')).toContain('its scheme is ftp')
  }
})

test('a target on IPv6 is reached', async () => {
  const { port } = await target(ok, '::1')
  expect(await client().post(`http://[::1]:${port}/`, request)).toMatchObject({ status: 200 })
})

test('nothing reaches loopback by default, however it is written', async () => {
  const { port, connections } = await target(ok)
  const egress = client({ allow: [] })
  for (const host of [
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '[::ffff:127.0.0.1]',
    '[::1]',
    'localhost',
  ])
    expect(await egress.post(`http://${host}:${port}/`, request)).toMatchObject({
      kind: 'forbidden',
    })
  expect(connections()).toBe(0)
})

test('a name is refused by any of its addresses, and the operator can read why', async () => {
  const { port, connections } = await target(ok)
  for (const addresses of [
    ['127.0.0.1'],
    ['::ffff:7f00:1'],
    ['127.0.0.2', '127.0.0.1'],
    ['127.0.0.2', '10.0.0.1'],
  ]) {
    const egress = client({ allow: ['127.0.0.2/32'], resolve: answers(...addresses) })
    const outcome = await egress.post(`http://hook.test:${port}/`, request)
    expect(outcome).toMatchObject({
      kind: 'forbidden',
      reason: expect.stringMatching(
        /^hook\.test leads to .* address: not allowed unless TARGET_ALLOW/,
      ),
    })
    expect(forbiddenLog.at(-1)).toEqual({ reason: (outcome as { reason: string }).reason })
  }
  expect(connections()).toBe(0)
})

test('TARGET_DENY shuts what TARGET_ALLOW opens, for names too', async () => {
  const { port } = await target(ok)
  const egress = client({ deny: ['127.0.0.1/32'], resolve: answers('127.0.0.1') })
  expect(await egress.post(`http://hook.test:${port}/`, request)).toMatchObject({
    kind: 'forbidden',
  })
})

test('a name that changes its address between check and connection changes nothing', async () => {
  const good = await target((socket) => {
    ok(socket)
    socket.end()
  }, '127.0.0.2')
  let asked = 0
  const resolve = () => answers(asked++ === 0 ? '127.0.0.2' : '127.0.0.1')()
  const egress = client({ allow: ['127.0.0.2/32'], resolve })
  const url = `http://rebind.test:${good.port}/`

  expect(await egress.post(url, request)).toMatchObject({ kind: 'response', status: 200 })
  expect(asked).toBe(1)
  expect(good.requests[0]).toContain(`host: rebind.test:${good.port}`)
  await expect.poll(() => good.open.size).toBe(0)

  expect(await egress.post(url, request)).toMatchObject({ kind: 'forbidden' })
  expect(asked).toBe(2)
})

test('every new connection of a pool is checked, also while another one lives', async () => {
  const held: Socket[] = []
  const { port, connections } = await target((socket) => held.push(socket), '127.0.0.2')
  let asked = 0
  const resolve = () => answers(asked++ === 0 ? '127.0.0.2' : '127.0.0.1')()
  const egress = client({ allow: ['127.0.0.2/32'], resolve })
  const first = egress.post(`http://rebind.test:${port}/`, request)
  await expect.poll(() => held.length).toBe(1)
  expect(await egress.post(`http://rebind.test:${port}/`, request)).toMatchObject({
    kind: 'forbidden',
  })
  for (const socket of held) ok(socket)
  expect(await first).toMatchObject({ status: 200 })
  expect(connections()).toBe(1)
})

test('requests in a row share connections, and each connection has one look-up', async () => {
  const { port, connections, requests } = await target(ok)
  let asked = 0
  const resolve = () => {
    asked += 1
    return answers('127.0.0.1')()
  }
  const egress = client({ resolve })
  for (let n = 0; n < 10; n++)
    expect(await egress.post(`http://hook.test:${port}/`, request)).toMatchObject({ body: 'ok' })
  expect(requests).toHaveLength(10)
  expect(connections()).toBeLessThanOrEqual(2) // undici frees a connection one turn after its answer
  expect(asked).toBe(connections())
})

test('connections to one origin can be limited', async () => {
  const { port, open } = await target(async (socket) => {
    most = Math.max(most, open.size)
    await sleep(20)
    ok(socket)
  })
  let most = 0
  const egress = client({ connections: 2 })
  await Promise.all(
    Array.from({ length: 8 }, () => egress.post(`http://127.0.0.1:${port}/`, request)),
  )
  expect(most).toBe(2)
})

test('of several addresses the one that listens is found', async () => {
  const { port } = await target(ok)
  const egress = client({ resolve: answers('::1', '127.0.0.1') })
  expect(await egress.post(`http://hook.test:${port}/`, request)).toMatchObject({ status: 200 })
})

test('a redirect is an answer and is not followed', async () => {
  const elsewhere = await target(ok)
  const location = `http://127.0.0.1:${elsewhere.port}/`
  const { port } = await target((socket) =>
    socket.write(`HTTP/1.1 307 Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`),
  )
  const outcome = await client().post(`http://127.0.0.1:${port}/`, request)
  expect(outcome).toMatchObject({ kind: 'response', status: 307, headers: { location } })
  expect(elsewhere.connections()).toBe(0)
})

test('reading stops after 64 KiB of an endless body, and the connection is dropped', async () => {
  const { port, open } = await target((socket) => {
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    const pour = () => {
      while (socket.writable && socket.write('x'.repeat(10_000)));
    }
    socket.on('drain', pour)
    pour()
  })
  const outcome = await client().post(`http://127.0.0.1:${port}/`, request)
  expect(outcome).toMatchObject({ kind: 'response', status: 200, truncated: true })
  expect((outcome as { body: string }).body).toHaveLength(64 * 1024)
  await expect.poll(() => open.size).toBe(0)
})

test('a body of exactly the limit is whole; a character cut in two is left out of a longer one', async () => {
  const { port } = await target((socket) =>
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nab\u00e9'),
  )
  const egress = client()
  const url = `http://127.0.0.1:${port}/`
  expect(await egress.post(url, { ...request, maxResponseBytes: 4 })).toMatchObject({
    body: 'abé',
    truncated: false,
  })
  expect(await egress.post(url, { ...request, maxResponseBytes: 3 })).toMatchObject({
    body: 'ab',
    truncated: true,
  })
})

test('a body can be stored as text whatever its bytes are', async () => {
  const { port } = await target((socket) =>
    socket.write(Buffer.from('HTTP/1.1 500 X\r\ncontent-length: 4\r\n\r\na\0\xffb', 'latin1')),
  )
  expect(await client().post(`http://127.0.0.1:${port}/`, request)).toMatchObject({
    body: 'a\ufffd\ufffdb',
  })
})

test('a compressed body is not unpacked', async () => {
  const bomb = gzipSync(Buffer.alloc(50_000_000))
  const { port } = await target((socket) => {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`,
    )
    socket.write(bomb)
  })
  const outcome = await client().post(`http://127.0.0.1:${port}/`, {
    ...request,
    maxResponseBytes: 100,
  })
  expect(outcome).toMatchObject({ status: 200, truncated: true })
  expect((outcome as { body: string }).body.length).toBeLessThanOrEqual(100)
})

test.each([
  ['headers', 'HTTP/1.1 200 OK\r\nx: ', 'no answer from', undefined],
  ['body', 'HTTP/1.1 200 OK\r\n\r\n', 'answered 200, but did not end its answer', 200],
])('%s that drip for ever end with the time', async (_what, start, reason, status) => {
  const { port, open } = await target((socket) => {
    socket.write(start)
    const drip = setInterval(() => socket.write('x'), 20)
    socket.on('close', () => clearInterval(drip))
  })
  const outcome = await client().post(`http://127.0.0.1:${port}/`, { ...request, timeoutMs: 300 })
  expect(outcome).toMatchObject({
    kind: 'timeout',
    status,
    reason: expect.stringContaining(reason),
  })
  expect(outcome.durationMs).toBeGreaterThanOrEqual(295)
  await expect.poll(() => open.size).toBe(0)
})

test('a target that says nothing ends with the time', async () => {
  const { port } = await target(() => undefined)
  const outcome = await client().post(`http://127.0.0.1:${port}/`, { ...request, timeoutMs: 200 })
  expect(outcome).toMatchObject({
    kind: 'timeout',
    status: undefined,
    reason: expect.stringMatching(/^no answer from 127\.0\.0\.1:\d+ within 0\.2 s$/),
  })
})

test('what ran out of time before it was connected is never sent afterwards', async () => {
  const { port, requests, connections } = await target(ok)
  const { promise: late, resolve: answer } = deferred<ResolvedAddress[]>()
  const egress = client({ resolve: () => late })
  const outcome = await egress.post(`http://slow.test:${port}/`, { ...request, timeoutMs: 100 })
  expect(outcome).toMatchObject({
    kind: 'timeout',
    reason: expect.stringContaining('no connection to slow.test'),
  })
  answer([{ address: '127.0.0.1', family: 4 }])
  await expect.poll(connections).toBe(1)
  await sleep(50)
  expect(requests).toEqual([])
})

test('headers of more than 16 KiB are a failure', async () => {
  const { port, open } = await target((socket) =>
    socket.write(`HTTP/1.1 200 OK\r\n${`x-filler: ${'y'.repeat(1000)}\r\n`.repeat(17)}\r\n`),
  )
  expect(await client().post(`http://127.0.0.1:${port}/`, request)).toMatchObject({
    kind: 'failed',
    code: 'UND_ERR_HEADERS_OVERFLOW',
    reason: expect.stringContaining('larger than 16 KiB'),
  })
  await expect.poll(() => open.size).toBe(0)
})

test('preliminary answers are passed over, but not for ever', async () => {
  const hint = 'HTTP/1.1 103 Early Hints\r\nlocation: /x\r\n\r\n'
  const polite = await target((socket) => {
    socket.write(hint)
    ok(socket)
  })
  const endless = await target((socket) => socket.write(hint.repeat(1000)))
  const egress = client()
  expect(await egress.post(`http://127.0.0.1:${polite.port}/`, request)).toMatchObject({
    status: 200,
    headers: {},
  })
  expect(await egress.post(`http://127.0.0.1:${endless.port}/`, request)).toMatchObject({
    kind: 'failed',
    code: 'EGRESS_PRELIMINARY',
  })
})

test('connection refused says by whom', async () => {
  const { port } = await target(ok)
  await closing.pop()?.()
  expect(await client().post(`http://127.0.0.1:${port}/`, request)).toMatchObject({
    kind: 'failed',
    code: 'ECONNREFUSED',
    reason: `connection refused by 127.0.0.1:${port}`,
  })
  const egress = client({ resolve: answers('::1', '127.0.0.1') })
  expect(await egress.post(`http://hook.test:${port}/`, request)).toMatchObject({
    reason: `connection refused by [::1]:${port} and 127.0.0.1:${port}`,
  })
})

test('a name without an address says so', async () => {
  const url = 'http://nowhere.invalid/'
  const reason = 'no address found for the name nowhere.invalid (ENOTFOUND)'
  const unknown = Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })
  expect(await client({ resolve: answers() }).post(url, request)).toMatchObject({
    kind: 'failed',
    reason,
  })
  expect(await client({ resolve: () => Promise.reject(unknown) }).post(url, request)).toMatchObject(
    { reason },
  )
})

test.each([
  ['resets the connection', (socket: Socket) => socket.resetAndDestroy(), 'closed the connection'],
  ['closes without an answer', (socket: Socket) => socket.end(), 'closed the connection'],
  [
    'breaks off its body',
    (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab'),
    'closed the connection',
  ],
  [
    'speaks something else',
    (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n'),
    'no valid HTTP/1.1',
  ],
  [
    'switches protocols unasked',
    (socket: Socket) => socket.write('HTTP/1.1 101 X\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    'closed the connection',
  ],
])('a target that %s is a failure with a reason', async (_what, talk, reason) => {
  const { port } = await target(talk)
  expect(await client().post(`http://127.0.0.1:${port}/`, request)).toMatchObject({
    kind: 'failed',
    reason: expect.stringContaining(reason),
  })
})

test('a header that cannot be sent fails, without its value in the reason', async () => {
  const { port, connections } = await target(ok)
  const headers = { authorization: 'Bearer s3cret\r\nx: y' }
  const outcome = await client().post(`http://127.0.0.1:${port}/`, { ...request, headers })
  expect(outcome).toMatchObject({ kind: 'failed', code: 'UND_ERR_INVALID_ARG' })
  expect(JSON.stringify(outcome)).not.toContain('s3cret')
  expect(connections()).toBe(0)
})

test('abort ends a request at once, and says whether it may have arrived', async () => {
  const { port, requests, open } = await target(() => undefined)
  const egress = client()
  const url = `http://127.0.0.1:${port}/`
  const during = new AbortController()
  const running = egress.post(url, { ...request, signal: during.signal })
  await expect.poll(() => requests.length).toBe(1)
  during.abort()
  expect(await running).toMatchObject({ kind: 'aborted', sent: true })
  await expect.poll(() => open.size).toBe(0)

  const before = AbortSignal.abort()
  expect(await egress.post(url, { ...request, signal: before })).toMatchObject({
    kind: 'aborted',
    sent: false,
  })
  expect(requests).toHaveLength(1)
})

test('a signal that lives long collects no listeners', async () => {
  const { port } = await target(ok)
  const { signal } = new AbortController()
  let listeners = 0
  const counting = {
    aborted: false,
    addEventListener: (...args: Parameters<AbortSignal['addEventListener']>) => {
      listeners += 1
      signal.addEventListener(...args)
    },
    removeEventListener: (...args: Parameters<AbortSignal['removeEventListener']>) => {
      listeners -= 1
      signal.removeEventListener(...args)
    },
  } as unknown as AbortSignal
  const egress = client()
  for (let n = 0; n < 3; n++)
    await egress.post(`http://127.0.0.1:${port}/`, { ...request, signal: counting })
  expect(listeners).toBe(0)
})

test('closing ends what is under way, as a failure', async () => {
  const { port, requests } = await target(() => undefined)
  const egress = client()
  const running = egress.post(`http://127.0.0.1:${port}/`, request)
  await expect.poll(() => requests.length).toBe(1)
  await egress.close()
  expect(await running).toMatchObject({ kind: 'failed' })
})

test('a bad CIDR ends the start', () => {
  expect(() => client({ allow: ['10.0.0.0/99'] })).toThrow('"10.0.0.0/99" is no address range')
})

function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let settle: (value: T) => void = () => undefined
  const promise = new Promise<T>((resolve) => {
    settle = resolve
  })
  return { promise, resolve: settle }
}
